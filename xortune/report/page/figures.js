/* The figures: each is drawn when it comes into view, in the colours of the page. */

(() => {
  const templates = JSON.parse(document.getElementById("templates").textContent);
  const places = [...document.querySelectorAll(".plot")];
  const drawn = new Set();
  const settings = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  let theme = page.theme();

  /* Plotly takes longest to read: the page is there before it is. The policy knows its text. */
  function ready() {
    if (window.Plotly) return;
    const script = document.createElement("script");
    script.textContent = document.getElementById("plotly").textContent;
    document.head.append(script);
  }

  function draw(place) {
    if (drawn.has(place)) return;
    ready();
    drawn.add(place);
    const { data, layout } = JSON.parse(document.getElementById(`${place.id}-figure`).textContent);
    Plotly.newPlot(place, data, { ...layout, template: templates[theme] }, settings);
    place.on("plotly_click", ({ points }) => {
      /* What appears under the pointer names the trial. */
      const named = /\btrial (\d+)/.exec(points[0].hovertext ?? points[0].text ?? "");
      if (named) leaderboard.show(Number(named[1]));
    });
  }

  function paint(name) {
    if (name === theme) return;
    theme = name;
    for (const place of drawn) Plotly.relayout(place, { template: templates[name] });
  }

  /* Paper is narrower than most windows, and what was not in view is printed, too. */
  function print() {
    places.forEach(draw);
    for (const place of drawn) Plotly.relayout(place, { width: 680, template: templates.light });
  }

  function printed() {
    for (const place of drawn) Plotly.relayout(place, { width: null, autosize: true, template: templates[theme] });
  }

  /* One at a time, so that scrolling and typing come in between; those passed by are left out. */
  const near = new Set();
  function drawNext() {
    const [place] = near;
    if (!place) return;
    near.delete(place);
    seen.unobserve(place);
    draw(place);
    if (near.size) setTimeout(drawNext);
  }

  const seen = new IntersectionObserver(
    (entries) => {
      const waiting = near.size > 0;
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) near.add(target); else near.delete(target);
      }
      if (!waiting && near.size) setTimeout(drawNext);
    },
    { rootMargin: "400px 0px" },
  );
  places.forEach((place) => seen.observe(place));
  if (places.length) {
    /* Once the page has been painted, and before anybody scrolls down. */
    addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(ready));
  }
  addEventListener("beforeprint", print);
  addEventListener("afterprint", printed);
  document.addEventListener("themechange", () => paint(page.theme()));
})();
