/* The leaderboard: sorts, filters and pages the trials, which are held in columns. */

const leaderboard = (() => {
  const data = JSON.parse(document.getElementById("leaderboard-data").textContent);
  const byName = new Map(data.columns.map((column) => [column.name, column]));
  const words = new Intl.Collator("en", { numeric: true });
  const element = (id) => document.getElementById(id);
  const table = element("trials");
  const state = {
    shown: new Set(data.shown),
    sorted: "rank",
    falls: false,
    words: [],
    states: null,
    page: 0,
    rows: [],
    found: null,
  };

  const value = (column, row) =>
    column.texts && column.values[row] !== null ? column.texts[column.values[row]] : column.values[row];
  const cell = (column, row) => {
    const one = value(column, row);
    return one === null ? "-" : column.texts ? one : numbers.text(one, column.form);
  };

  /* What a column is sorted by: large whole numbers come as text, since JavaScript rounds them. */
  function keys(column) {
    if (!column.keys) {
      if (column.texts) {
        const order = column.texts.map((_, place) => place);
        order.sort((a, b) => words.compare(column.texts[a], column.texts[b]));
        const places = [];
        order.forEach((text, place) => { places[text] = place; });
        column.keys = column.values.map((one) => (one === null ? null : places[one]));
      } else column.keys = column.values.map((one) => (typeof one === "string" ? BigInt(one) : one));
    }
    return column.keys;
  }

  /* The text of a row in which words are looked for: all of its columns, not only those shown. */
  const texts = [];
  function text(row) {
    return (texts[row] ??= data.columns.map((column) => cell(column, row)).join("\n").toLowerCase());
  }

  /* Whether a row has a word somewhere; or, of a word such as `trial=12`, that value there. */
  function matches(row, word) {
    const [, name, wanted] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    const column = name && data.columns.find((one) => [one.label, one.name].some((own) => own.toLowerCase() === name));
    if (!column) return text(row).includes(word);
    const one = value(column, row);
    return cell(column, row).toLowerCase() === wanted || (typeof one === "number" && one === Number(wanted));
  }

  function selected() {
    const states = byName.get("state");
    const rows = [];
    for (let row = 0; row < data.rows; row++) {
      if (state.states && !state.states.has(value(states, row))) continue;
      if (state.words.every((word) => matches(row, word))) rows.push(row);
    }
    const by = keys(byName.get(state.sorted));
    const way = state.falls ? -1 : 1;
    /* Missing values are last both ways; equal ones stay in the order of the ranks. */
    return rows.sort((a, b) => {
      const [first, second] = [by[a], by[b]];
      if (first === null || second === null) return (first === null) - (second === null) || a - b;
      return first < second ? -way : first > second ? way : a - b;
    });
  }

  function made(tag, properties = {}, ...children) {
    const one = Object.assign(document.createElement(tag), properties);
    one.append(...children);
    return one;
  }

  const columns = () => data.columns.filter((column) => state.shown.has(column.name));

  function drawHead() {
    const row = made("tr");
    for (const column of columns()) {
      const head = made("th", { scope: "col", className: column.form ? "" : "text" });
      const button = made("button", { type: "button", textContent: column.label });
      if (state.sorted === column.name) {
        head.setAttribute("aria-sort", state.falls ? "descending" : "ascending");
        const arrow = made("span", { textContent: state.falls ? " ↓" : " ↑" });
        arrow.setAttribute("aria-hidden", "true");
        button.append(arrow);
      }
      button.dataset.column = column.name;
      head.append(button);
      row.append(head);
    }
    table.tHead.replaceChildren(row);
  }

  function star() {
    const mark = made("span", { className: "star", textContent: "★ " });
    mark.setAttribute("aria-hidden", "true");
    return [mark, made("span", { className: "spoken", textContent: "to use: " })];
  }

  function drawBody() {
    const first = state.page * data.page;
    const numbersOf = byName.get("number");
    const body = state.rows.slice(first, first + data.page).map((row) => {
      const number = value(numbersOf, row);
      const line = made("tr", { className: number === data.use ? "use" : "" });
      if (number === state.found) line.classList.add("found");
      for (const column of columns()) {
        const one = made(column === numbersOf ? "th" : "td", { textContent: cell(column, row) });
        if (column === numbersOf) {
          one.scope = "row";
          if (number === data.use) one.prepend(...star());
        }
        if (!column.form) one.className = column.name === "error" ? "text long" : "text";
        if (column.name === "state") one.classList.add(value(column, row));
        if (/^\./.test(column.form) && value(column, row) !== null) one.title = String(value(column, row));
        line.append(one);
      }
      return line;
    });
    table.tBodies[0].replaceChildren(...body);
  }

  const counted = (number) => number.toLocaleString("en");

  function drawPager() {
    const count = state.rows.length;
    const last = Math.max(0, Math.ceil(count / data.page) - 1);
    const first = state.page * data.page;
    const range = count ? `${counted(first + 1)} to ${counted(Math.min(first + data.page, count))} of ` : "";
    const all = count === data.rows ? "" : ` (filtered from ${counted(data.rows)})`;
    element("shown").textContent = `${range}${counted(count)} trial${count === 1 ? "" : "s"}${all}`;
    element("first").disabled = element("previous").disabled = state.page === 0;
    element("next").disabled = element("last").disabled = state.page === last;
    element("pager").querySelector(".buttons").hidden = last === 0;
  }

  function draw() {
    drawHead();
    drawBody();
    drawPager();
  }

  function select() {
    state.rows = selected();
    state.page = 0;
    draw();
  }

  function sort(name) {
    const column = byName.get(name);
    state.falls = state.sorted === name ? !state.falls : column.falls;
    state.sorted = name;
    select();
    /* The heading was drawn anew: the keyboard stays on it. */
    table.tHead.querySelector(`button[data-column="${CSS.escape(name)}"]`)?.focus();
  }

  function turn(page) {
    const last = Math.max(0, Math.ceil(state.rows.length / data.page) - 1);
    state.page = Math.min(Math.max(page, 0), last);
    drawBody();
    drawPager();
  }

  function checkbox(label, isOn, change) {
    const box = made("input", { type: "checkbox", checked: isOn });
    box.addEventListener("change", () => change(box.checked));
    return made("label", {}, box, label);
  }

  function addStates() {
    const column = byName.get("state");
    const counts = new Map(column.texts.map((name) => [name, 0]));
    column.values.forEach((place) => counts.set(column.texts[place], counts.get(column.texts[place]) + 1));
    const chosen = new Set(counts.keys());
    const boxes = [...counts].map(([name, count]) =>
      checkbox(`${name} ${counted(count)}`, true, (isOn) => {
        if (isOn) chosen.add(name); else chosen.delete(name);
        state.states = chosen.size === counts.size ? null : chosen;
        select();
      }));
    if (counts.size > 1) element("states").append(...boxes);
    element("states").hidden = counts.size < 2;
  }

  function addChooser() {
    const boxes = data.columns.map((column) =>
      checkbox(column.label, state.shown.has(column.name), (isOn) => {
        if (isOn) state.shown.add(column.name); else state.shown.delete(column.name);
        draw();
      }));
    element("chooser").querySelector("fieldset").append(...boxes);
  }

  /* Shows the row of a trial, such as the one whose dot was clicked in a picture. */
  function show(number) {
    const row = byName.get("number").values.indexOf(number);
    if (row < 0) return;
    if (!state.rows.includes(row)) {
      state.words = [];
      state.states = null;
      element("filter").value = "";
      element("states").querySelectorAll("input").forEach((box) => { box.checked = true; });
      state.rows = selected();
    }
    state.found = number;
    state.page = Math.floor(state.rows.indexOf(row) / data.page);
    draw();
    table.querySelector(".found").scrollIntoView({ block: "center" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-trial]");
    if (!link) return;
    event.preventDefault();
    show(Number(link.dataset.trial));
    element("rows").focus({ preventScroll: true });
  });
  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) sort(button.dataset.column);
  });
  element("filter").addEventListener("input", (event) => {
    state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    select();
  });
  element("first").addEventListener("click", () => turn(0));
  element("previous").addEventListener("click", () => turn(state.page - 1));
  element("next").addEventListener("click", () => turn(state.page + 1));
  element("last").addEventListener("click", () => turn(Infinity));
  addStates();
  addChooser();
  select();
  element("controls").hidden = element("pager").hidden = false;
  return { show };
})();
