"use strict";
// Draws the plots in the page's colours, lets tables be sorted, and readies both for paper. Loads nothing.

const PRINTED_WIDTH = 1000;
const PRINTED_HEIGHT = 270;
const LARGEST_SHRUNK = 425;
const plots = [...document.querySelectorAll(".plot")];
const dark = window.matchMedia("(prefers-color-scheme: dark)");

const configuration = (plot) => ({
  displaylogo: false,
  responsive: true,
  showSendToCloud: false,
  plotlyServerURL: "",
  modeBarButtonsToRemove: ["lasso2d", "select2d", "sendChartToCloud"],
  toImageButtonOptions: { filename: plot.id, scale: 3 },
});

function pageColours(layout) {
  const page = getComputedStyle(document.documentElement);
  const [text, line, sheet, font] = ["--text", "--line", "--sheet", "--font"].map((n) => page.getPropertyValue(n).trim());
  const colours = { "font.color": text, "font.family": font, "hoverlabel.bgcolor": sheet, "hoverlabel.font.color": text };
  for (const axis of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    colours[`${axis}.gridcolor`] = line;
    colours[`${axis}.linecolor`] = line;
    colours[`${axis}.zerolinecolor`] = text;
  }
  return colours;
}

function draw(plot) {
  if (plot.dataset.drawn) return;
  plot.dataset.drawn = "yes";
  const figure = JSON.parse(plot.querySelector("script").textContent);
  const canvas = plot.querySelector(".canvas");
  Plotly.newPlot(canvas, figure.data, figure.layout, configuration(plot));
  Plotly.relayout(canvas, pageColours(figure.layout));
}

function repaint() {
  for (const plot of plots.filter((one) => one.dataset.drawn)) {
    const canvas = plot.querySelector(".canvas");
    Plotly.relayout(canvas, pageColours(canvas.layout));
  }
}

function choose(plot, view) {
  const canvas = plot.querySelector(".canvas");
  Plotly.restyle(canvas, { visible: canvas.data.map((trace) => !trace.meta || trace.meta === view) });
}

// On paper two plots share a page; afterwards each has its place in the window again.
function forPaper(printing) {
  for (const plot of plots) {
    draw(plot);
    const canvas = plot.querySelector(".canvas");
    plot.dataset.height ||= canvas.clientHeight;
    const full = Number(plot.dataset.height);
    const height = printing && full <= LARGEST_SHRUNK ? PRINTED_HEIGHT : full;
    canvas.style.height = `${height}px`;
    Plotly.relayout(canvas, printing ? { width: PRINTED_WIDTH, height } : { width: null, height: null, autosize: true });
  }
  repaint();
}

const value = (row, column) => {
  const cell = row.cells[column];
  return cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent.trim();
};

function compare(a, b) {
  const numbers = typeof a === "number" && typeof b === "number";
  if (!numbers) return String(a).localeCompare(String(b), undefined, { numeric: true });
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
  return a - b;
}

function sort(head) {
  const table = head.closest("table");
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  const keys = new Map(rows.map((row) => [row, value(row, head.cellIndex)]));
  const missing = (row) => Number.isNaN(keys.get(row));
  rows.sort((a, b) => missing(a) - missing(b) || (down ? -1 : 1) * compare(keys.get(a), keys.get(b)));
  table.tBodies[0].append(...rows);
}

const watcher = new IntersectionObserver((seen) => {
  for (const entry of seen.filter((one) => one.isIntersecting)) {
    draw(entry.target);
    watcher.unobserve(entry.target);
  }
}, { rootMargin: "800px" });

for (const plot of plots) {
  watcher.observe(plot);
  plot.querySelector("select")?.addEventListener("change", (event) => choose(plot, event.target.value));
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => sort(button.closest("th")));
}
for (const folded of document.querySelectorAll("details")) {
  folded.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")));
}
dark.addEventListener("change", repaint);
window.addEventListener("beforeprint", () => forPaper(true));
window.addEventListener("afterprint", () => forPaper(false));
