// Sorting, filters and search for the table of findings. The page is complete without; its words come from the page.
"use strict";
// Until the table is taken over, its rows are not laid out: there may be a hundred thousand.
document.documentElement.classList.add("scripted");
document.addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("findings");
  // Whatever goes wrong, the rows are shown.
  try {
    if (table) takeOver(table);
  } finally {
    document.documentElement.classList.add("ready");
  }
});

function takeOver(table) {
  // As many rows as a browser lays out at once without being slow. The others are one button away.
  const STEP = 1000;
  // A keystroke waits this long for the next one, in milliseconds.
  const PAUSE = 150;
  const [PRIORITY, DUE, PROBLEM, RESOURCE, OWNER, EXCEPTION] = [0, 2, 3, 5, 7, 9];

  const [body, ...others] = table.tBodies;
  const rows = Array.from(table.tBodies).flatMap((part) => Array.from(part.rows));
  for (const part of others) part.remove();
  const section = table.closest("section");
  section.querySelector(".wide").before(document.getElementById("controls").content.cloneNode(true));
  const form = section.querySelector("form");
  const shown = section.querySelector("[role=status]");
  const more = document.createElement("button");
  more.type = "button";
  more.className = "more";
  section.append(more);
  const number = new Intl.NumberFormat(document.documentElement.lang);
  const say = (text, numbers) => text.replace(/\{(\w+)\}/g, (_, name) => number.format(numbers[name]));

  // The first text of a cell, without the marks that may follow it.
  const text = (row, column) => row.cells[column].firstChild?.data?.trim() ?? "";
  const has = (row, column, mark) => row.cells[column].querySelector(mark) !== null;
  const once = (make) => {
    let made;
    return () => (made ??= make());
  };
  const owners = once(() => rows.map((row) => text(row, OWNER)));
  const searched = once(() => rows.map((row) => row.textContent.toLowerCase()));
  const states = {
    overdue: (row) => has(row, DUE, ".mark"),
    excepted: (row) => text(row, EXCEPTION) !== "",
    "not-excepted": (row) => text(row, EXCEPTION) === "",
    exploited: (row) => has(row, PROBLEM, ".mark"),
    used: (row) => has(row, RESOURCE, ".mark"),
  };

  // What is compared when a column is sorted: numbers as numbers, also within text.
  const keys = (column) => {
    const isNumber = table.tHead.rows[0].cells[column].classList.contains("n");
    const padded = (text) => text.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, "0"));
    return rows.map((row) => {
      const value = text(row, column);
      if (isNumber) return /^\d+$/.test(value) ? Number(value) : null;
      return value === "" ? null : padded(value);
    });
  };
  const given = rows.map((_, place) => place);
  let order = given;
  let found = given;
  let limit = STEP;

  function sortBy(header, direction) {
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    order = given;
    if (header) {
      header.setAttribute("aria-sort", direction);
      const key = keys(header.cellIndex);
      const sign = direction === "ascending" ? 1 : -1;
      // Stable: equal ones stay in the order of urgency. What is empty comes last either way.
      order = given.slice().sort((a, b) => {
        const [one, other] = [key[a], key[b]];
        if (one === other) return 0;
        if (one === null || other === null) return one === null ? 1 : -1;
        return one < other ? -sign : sign;
      });
    }
  }

  function select() {
    const wanted = new FormData(form);
    const words = wanted.get("search").normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    const priorities = new Set(wanted.getAll("priority"));
    const isOfState = states[wanted.get("state")];
    const owner = wanted.get("owner");
    const takes = (place) =>
      (priorities.size === 0 || priorities.has(text(rows[place], PRIORITY))) &&
      (owner === "" || owners()[place] === owner.slice(1)) &&
      (!isOfState || isOfState(rows[place])) &&
      words.every((word) => searched()[place].includes(word));
    const isAll = priorities.size === 0 && owner === "" && !isOfState && words.length === 0;
    found = isAll ? order : order.filter(takes);
    limit = STEP;
    show();
  }

  function show() {
    fill(limit);
    shown.textContent = say(shown.dataset.text, { shown: found.length, all: rows.length });
    const rest = Math.min(found.length - limit, STEP);
    more.hidden = rest <= 0;
    more.textContent = say(shown.dataset.more, { more: rest });
  }

  function fill(most) {
    const part = document.createDocumentFragment();
    for (const place of found.slice(0, most)) part.append(rows[place]);
    body.replaceChildren(part);
  }

  for (const header of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      sortBy(header, header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending");
      select();
    });
  }

  // A leading "=" tells nobody's findings from those of all.
  for (const owner of Array.from(new Set(owners())).sort()) {
    form.elements.owner.append(new Option(owner || form.elements.owner.dataset.nobody, `=${owner}`));
  }

  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target === form.elements.search) waiting = setTimeout(select, PAUSE);
    else select();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    select();
  });
  // The fields have their first values after this event.
  form.addEventListener("reset", () => setTimeout(() => (sortBy(null), select())));
  more.addEventListener("click", () => {
    limit += STEP;
    show();
  });
  // On paper there is no button: all that was found is printed.
  addEventListener("beforeprint", () => fill(found.length));
  addEventListener("afterprint", () => fill(limit));
  select();
}
