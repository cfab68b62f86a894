/* The page around them: the switch of the theme, and the contents that follow along. */

const page = (() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  /* The button says what it does. */
  const theme = () => (isDark() ? "dark" : "light");

  function follow() {
    button.textContent = isDark() ? "Light" : "Dark";
    document.dispatchEvent(new Event("themechange"));
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    follow();
  });
  system.addEventListener("change", follow);
  button.textContent = isDark() ? "Light" : "Dark";

  const links = new Map(
    [...document.querySelectorAll(".contents a")].map((link) => [link.getAttribute("href").slice(1), link]),
  );
  const marks = [...links.keys()].map((id) => document.getElementById(id));
  let waiting = false;
  function mark() {
    waiting = false;
    const line = innerHeight / 3;
    const isAtEnd = innerHeight + scrollY >= root.scrollHeight - 2;
    const passed = marks.filter((one) => one.getBoundingClientRect().top <= line);
    const current = isAtEnd ? marks.at(-1) : passed.at(-1) ?? marks[0];
    for (const [id, link] of links) {
      if (id === current.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(mark);
    waiting = true;
  }, { passive: true });
  mark();
  return { theme };
})();
