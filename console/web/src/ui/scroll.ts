// What scrolls sideways can be scrolled by keyboard: it takes the focus while it is wider
// than its place.

export function watchScroll(root: HTMLElement): () => void {
  let due = 0;
  const look = () => {
    due = 0;
    for (const element of root.querySelectorAll<HTMLElement>(".scroll")) {
      if (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight) {
        element.tabIndex = 0;
        if (!element.hasAttribute("role")) {
          element.setAttribute("role", "group");
          element.setAttribute("aria-label", "A table that scrolls sideways");
        }
      } else if (element.tabIndex === 0) element.removeAttribute("tabindex");
    }
  };
  const soon = () => (due ||= requestAnimationFrame(look));
  const changes = new MutationObserver(soon);
  changes.observe(root, { childList: true, subtree: true });
  addEventListener("resize", soon);
  return () => {
    changes.disconnect();
    removeEventListener("resize", soon);
    cancelAnimationFrame(due);
  };
}
