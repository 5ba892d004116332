"use strict";
(() => {
  const table = document.getElementById("figures");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const text = document.getElementById("filter-text");
  const figure = document.getElementById("filter-figure");
  const kind = document.getElementById("filter-kind");
  const count = document.getElementById("filter-count");

  function filter() {
    const wanted = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const words = row.textContent.toLowerCase();
      row.hidden =
        (figure.value && row.dataset.figure !== figure.value) ||
        (kind.value && row.dataset.kind !== kind.value) ||
        !wanted.every((word) => words.includes(word));
      left += row.hidden ? 0 : 1;
    }
    count.textContent = `${left} of ${rows.length} rows`;
  }

  function sort(column, heading, button) {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    const numbers = heading.dataset.sort === "number";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const value = (row) => {
      const cell = row.cells[column];
      return numbers ? parseFloat(cell.dataset.value ?? "NaN") : cell.textContent;
    };
    const direction = ascending ? 1 : -1;
    const sorted = rows.map((row) => [value(row), row]).sort(([a], [b]) => {
      if (!numbers) return direction * a.localeCompare(b);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return direction * (a - b);
    });
    body.append(...sorted.map(([, row]) => row));
    button.focus();
  }

  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    if (!heading.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => sort(column, heading, button));
  });

  // A link to a row that the filter hides shows it again.
  function reveal() {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (row && row.hidden && rows.includes(row)) {
      text.value = figure.value = kind.value = "";
      filter();
      row.scrollIntoView();
    }
  }

  for (const field of [text, figure, kind]) field.addEventListener("input", filter);
  addEventListener("hashchange", reveal);
  document.getElementById("filters").hidden = false;
  filter();
})();
