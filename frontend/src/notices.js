// A notice that is opened has been read; its link goes where it always went.
const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

function tell(body) {
  const form = document.querySelector("form[data-reads-all], form[action$='/notices/read/']");
  const address = form?.action ?? "/accounts/notices/read/";
  body.set("csrfmiddlewaretoken", token());
  // keepalive: the page is being left
  return fetch(address, { method: "POST", body, keepalive: true, redirect: "manual" }).catch(() => {
    /* it stays unread, and can be read later */
  });
}

export function startNotices() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-notice]");
    if (!link) return;
    const body = new FormData();
    body.set("notice", link.dataset.notice);
    tell(body);
  });
}
