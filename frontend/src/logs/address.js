// What the page shows stands in its address, so that it can be sent on. Changes that need no new lines are made in
// place; the links that the server wrote keep up with them.
export class Address {
  constructor(root) {
    this.asked = JSON.parse(root.dataset.asked);
    const first = { ...this.asked };
    this.links = [...document.querySelectorAll('main a[href^="?"]')].map((link) => ({ link, changes: changesOf(link, first) }));
  }

  get(name) {
    return this.asked[name] ?? "";
  }

  with(changes) {
    const all = Object.entries({ ...this.asked, ...changes }).filter(([, value]) => value);
    return `?${new URLSearchParams(all)}`;
  }

  change(changes) {
    Object.assign(this.asked, changes);
    history.replaceState(history.state, "", this.with({}));
    this.links.forEach(({ link, changes: own }) => { link.href = this.with(own); });
  }

  changesOf(link) {
    return this.links.find((one) => one.link === link)?.changes;
  }
}

function changesOf(link, first) {
  const there = Object.fromEntries(new URL(link.href).searchParams);
  const names = new Set([...Object.keys(there), ...Object.keys(first)]);
  return Object.fromEntries([...names].map((name) => [name, there[name] ?? ""]).filter(([name, value]) => value !== (first[name] ?? "")));
}
