// Tabs that do not fit stand in one line that is moved sideways: the present one is brought into sight.
export function startTabs() {
  document.querySelectorAll(".tabs").forEach((line) => {
    const here = line.querySelector("[aria-current]");
    if (!here || line.scrollWidth <= line.clientWidth) return;
    line.scrollLeft = here.offsetLeft - (line.clientWidth - here.offsetWidth) / 2;
  });
}
