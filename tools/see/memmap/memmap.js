// The page that `make memmap-NAME` writes. The object `model` comes from tools/see/memory.py:
// Memory.describe() says what is in it.
"use strict";

const model = JSON.parse(document.getElementById("model").textContent);
const C = model.constants;
const ROW = 64; // Cells in a row
const SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz";
// Rows of such pages become one line.
const DULL = new Set(["free", "unusable", "kernel", "stack"]);

// For each kind of page: the sign in its cell and its text in the legend.
const KINDS = {
  "private": ["0", "of one environment: its sign and colour"],
  "cow": ["&", "copy-on-write, mapped more than once"],
  "read": ["=", "read-only, mapped more than once"],
  "shared": ["*", "writable, mapped more than once"],
  "directory": ["D", "page directory"],
  "table": ["T", "page table"],
  "fpu": ["F", "floating-point state"],
  "kernel": ["K", "kernel"],
  "stack": ["S", "kernel stack"],
  "kernel table": ["K", "page table of the kernel"],
  "free": [".", "free"],
  "lost": ["?", "lost"],
  "unusable": ["-", "not usable"],
};

const envs = new Map(model.envs.map(env => [env.slot, env]));
const errorsOf = new Map(), notesOf = new Map();
let keptPage = null, keptEnv = null, shownEnv = null;

// ---- Small helpers ----

const byId = id => document.getElementById(id);
const hex = (number, digits = 8) => "0x" + number.toString(16).padStart(digits, "0");
const idOf = env => "[" + env.id.toString(16).padStart(8, "0") + "]";
const address = page => hex(page * C.PGSIZE);
const plural = (n, word) => n + " " + word + (n === 1 ? "" : "s");

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className)
    element.className = className;
  element.append(...children);
  return element;
}

function group(list, map) {
  for (const item of list) {
    if (item.page !== null)
      map.set(item.page, [...map.get(item.page) || [], item.text]);
  }
}

// ---- Pages ----

const envSign = slot => SIGNS[slot % SIGNS.length];
const envClass = slot => "env" + slot % 4;

// The run of equal pages that a page is in: {kind, owner, text}.
function lookOf(page) {
  let low = 0, high = model.pages.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (model.pages[middle][0] <= page)
      low = middle;
    else
      high = middle - 1;
  }
  const [, , kind, owner, text] = model.pages[low];
  return {kind, owner, text};
}

const usesOf = page => (model.details[page] || {uses: []}).uses;
const usedBy = (page, slot) => usesOf(page).some(use => use[0] === slot);

function permissions(pte) {
  const words = [pte & C.PTE_W ? "writable" : "read-only"];
  if (pte & C.PTE_COW)
    words.push(pte & C.PTE_W ? "shared by sfork" : "copy-on-write");
  if (pte & C.PTE_SHARE)
    words.push("PTE_SHARE");
  return words.join(", ");
}

function describeKind(page) {
  const {kind, owner, text} = lookOf(page);
  const who = owner === null ? "" : " of " + idOf(envs.get(owner)) + " " + envs.get(owner).program;
  if (kind === "private")
    return "page" + who;
  if (text)
    return (kind === "unusable" ? "not usable: " : "kernel: ") + text;
  return KINDS[kind][1] + (["directory", "table", "fpu"].includes(kind) ? who : "");
}

function cellOf(page) {
  const {kind, owner} = lookOf(page);
  const wrong = errorsOf.has(page);
  const sign = wrong ? "!" : kind === "private" ? envSign(owner) : KINDS[kind][0];
  const cell = make("span", "cell " + kind.replace(" ", ""), sign === "." ? "" : sign);
  if (owner !== null && !["cow", "read", "shared"].includes(kind))
    cell.classList.add(envClass(owner));
  if (wrong)
    cell.classList.add("error");
  cell.dataset.page = page;
  cell.setAttribute("role", "gridcell");
  cell.setAttribute("aria-label", "page " + address(page) + ", " + describeKind(page));
  cell.tabIndex = -1;
  return cell;
}

// ---- Physical memory ----

// The kind of all pages of a row, if such a row can be left out; otherwise null.
function dullKind(first, limit) {
  const wanted = lookOf(first).kind;
  for (let page = first; page < limit; page++) {
    const kind = lookOf(page).kind;
    if (!DULL.has(kind) || kind !== wanted || errorsOf.has(page))
      return null;
  }
  return wanted;
}

function bandOf(first, limit) {
  const texts = new Set();
  for (let page = first; page < limit; page++)
    texts.add(lookOf(page).text);
  const kind = KINDS[lookOf(first).kind][1];
  const band = make("div", "row band", make("span", "address", address(first)), cellOf(first),
    plural(limit - first, "page") + ": " + kind + (texts.has(null) ? ""
      : " (" + [...texts].join(", ") + ")"));
  band.setAttribute("role", "row");
  return band;
}

function rowOf(first, limit) {
  const row = make("div", "row", make("span", "address", address(first)));
  row.setAttribute("role", "row");
  for (let page = first; page < limit; page++)
    row.append(cellOf(page));
  return row;
}

function drawPhysical() {
  const every = byId("every").checked, rows = [];
  for (let first = 0, limit; first < model.npages; first = limit) {
    limit = Math.min(first + ROW, model.npages);
    const kind = every ? null : dullKind(first, limit);
    if (kind === null) {
      rows.push(rowOf(first, limit));
      continue;
    }
    while (limit < model.npages &&
           dullKind(limit, Math.min(limit + ROW, model.npages)) === kind)
      limit = Math.min(limit + ROW, model.npages);
    rows.push(bandOf(first, limit));
  }
  byId("physical").replaceChildren(...rows);
  const start = document.querySelector("#physical .cell");
  if (start)
    start.tabIndex = 0;
  mark();
}

function drawLegend() {
  const kinds = new Set(model.pages.map(run => run[2]));
  const items = Object.keys(KINDS).filter(kind => kinds.has(kind)).map(kind => {
    const cell = make("span", "cell " + kind.replace(" ", ""), KINDS[kind][0].replace(".", ""));
    if (["private", "directory", "table", "fpu"].includes(kind))
      cell.classList.add("env0");
    return make("li", "", cell, KINDS[kind][1]);
  });
  items.push(make("li", "", make("span", "cell error", "!"), "wrong"));
  byId("legend").replaceChildren(...items);
}

// ---- Address spaces ----

function mappingCell(page, pte) {
  const cell = cellOf(page);
  let sign = pte & C.PTE_SHARE ? "s" : (pte & (C.PTE_W | C.PTE_COW)) === C.PTE_COW ? "c"
    : pte & C.PTE_W ? "w" : "r";
  if (usesOf(page).length > 1)
    sign = sign.toUpperCase();
  cell.textContent = errorsOf.has(page) ? "!" : sign;
  return cell;
}

function placeName(va) {
  if (va >= C.UXSTACKTOP - C.PGSIZE)
    return "exception stack";
  if (va >= C.UTOP - C.PTSIZE)
    return va < C.USTACKTOP ? "stack" : "";
  return va >= C.UTEXT ? "program" : "scratch";
}

function spaceRow(env, first, maps) {
  const row = make("div", "row", make("span", "address", hex(first * C.PGSIZE)));
  row.setAttribute("role", "row");
  for (let vpn = first; vpn < first + ROW; vpn++) {
    const pte = maps.get(vpn);
    const cell = pte === undefined ? make("span", "cell unmapped", "·")
      : mappingCell(pte >>> 12, pte);
    if (pte !== undefined)
      cell.dataset.va = vpn * C.PGSIZE;
    row.append(cell);
  }
  return row;
}

function drawSpace(env) {
  shownEnv = env;
  byId("space-title").textContent = "Address space of " + idOf(env) + " " + env.program;
  const maps = new Map(env.maps.map(([va, , pte]) => [va / C.PGSIZE, pte]));
  const starts = new Set([...maps.keys()].map(vpn => vpn - vpn % ROW));
  const rows = [...starts].map(first => spaceRow(env, first, maps));
  byId("space").replaceChildren(...rows);
  if (!rows.length)
    byId("space").append(make("p", "muted", "Nothing is mapped below UTOP."));
  mark();
}

// ---- The page that is pointed at or kept ----

function useRow([slot, kind, va, entry]) {
  const env = envs.get(slot);
  const who = env ? idOf(env) + " " + env.program : "the kernel";
  const where = va === null ? "" : hex(va);
  const how = kind === "page" ? permissions(entry) + (placeName(va) ? " (" + placeName(va) + ")" : "")
    : KINDS[kind][1];
  return make("tr", "", make("td", "", who), make("td", "address", where), make("td", "", how));
}

function showPage(page) {
  const panel = byId("page"), detail = model.details[page];
  panel.replaceChildren(make("h2", "", "Page " + address(page)),
    make("p", "", describeKind(page)));
  for (const text of errorsOf.get(page) || [])
    panel.append(make("p", "wrong", "✗ " + text));
  for (const text of notesOf.get(page) || [])
    panel.append(make("p", "muted", "Note: " + text));
  if (!detail)
    return;
  panel.append(make("p", "muted", "pp_ref is " + detail.ref + (detail.listed
    ? "; the page is on the free list" : "")));
  if (detail.uses.length) {
    const head = make("tr", "", ...["who", "address", "how"].map(text => make("th", "", text)));
    panel.append(make("table", "", head, ...detail.uses.map(useRow)));
  }
}

// Mark the cells of the chosen environment and page.
function mark(page = keptPage) {
  for (const cell of document.querySelectorAll("#pictures .row .cell[data-page]")) {
    const number = Number(cell.dataset.page);
    cell.classList.toggle("dim", keptEnv !== null && !cell.dataset.va && !usedBy(number, keptEnv));
    cell.classList.toggle("same", number === page && page !== keptPage);
    cell.classList.toggle("kept", number === keptPage);
  }
}

function point(page) {
  if (keptPage === null)
    showPage(page);
  markOne(page);
}

// Outline the other cells of a page that is pointed at.
function markOne(page) {
  for (const cell of document.querySelectorAll(".same"))
    cell.classList.remove("same");
  for (const cell of document.querySelectorAll('.row .cell[data-page="' + page + '"]'))
    cell.classList.add("same");
}

function keepPage(page) {
  keptPage = keptPage === page ? null : page;
  if (page !== null)
    showPage(page);
  mark();
}

function chooseEnv(slot) {
  keptEnv = keptEnv === slot ? null : slot;
  for (const button of document.querySelectorAll("#envs button"))
    button.setAttribute("aria-pressed", String(Number(button.dataset.slot) === keptEnv));
  if (keptEnv !== null)
    drawSpace(envs.get(keptEnv));
  mark();
}

// Show a page, also if its row is left out.
function goTo(page) {
  keptPage = null;
  keepPage(page);
  const cell = document.querySelector('#physical .cell[data-page="' + page + '"]');
  if (cell) {
    cell.scrollIntoView({block: "center"});
    cell.focus();
  }
}

// ---- Lists ----

function drawHeader() {
  const {at, cpu, settled} = model.stop;
  byId("where").textContent = "stopped at " + at + " on CPU " + cpu + "; " +
    plural(model.envs.length, "environment") + ", " + plural(model.used, "page") + " in use, " +
    model.free + " free";
  const verdict = byId("verdict"), n = model.errors.length;
  verdict.textContent = n ? "✗ " + plural(n, "error") : "✓ No errors: all counts are right";
  verdict.classList.toggle("wrong", n > 0);
  if (!settled)
    verdict.append(make("span", "muted", " (CPU " + model.lock + " holds the big lock, and may be " +
      "in the middle of a change: then a count can differ by one.)"));
}

function drawMistakes() {
  const list = make("ol", "", ...model.errors.map(error => {
    const button = make("button", "wrong", error.text);
    button.addEventListener("click", () => {
      if (error.page !== null)
        goTo(error.page);
      else if (error.env !== null)
        chooseEnv(error.env);
    });
    return make("li", "wrong", button);
  }));
  byId("mistakes").hidden = model.errors.length === 0;
  byId("mistakes").replaceChildren(list);
}

function drawEnvs() {
  const buttons = model.envs.map(env => {
    const shared = env.maps.filter(([, page]) => usesOf(page).length > 1).length;
    const cell = make("span", "cell " + envClass(env.slot), envSign(env.slot));
    const cpu = env.cpu === null ? "" : " on CPU " + env.cpu;
    const button = make("button", "", cell, make("code", "", idOf(env)), env.program + ", " +
      env.status.toLowerCase().replace("_", " ") + cpu + ": " + plural(env.maps.length, "page") +
      ", " + shared + " shared");
    button.dataset.slot = env.slot;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => chooseEnv(env.slot));
    return button;
  });
  byId("envs").replaceChildren(...buttons);
  if (!buttons.length)
    byId("envs").append(make("p", "muted", "None."));
}

function drawCpus() {
  const rows = model.cpus.map((cpu, i) => {
    const env = envs.get(cpu.env);
    return make("tr", "", make("td", "", "CPU " + i), make("td", "", env ? idOf(env)
      : cpu.status.toLowerCase()), make("td", "", cpu.at || ""));
  });
  byId("cpus").replaceChildren(make("h2", "", "CPUs"), make("table", "", ...rows));
}

function drawNotes() {
  if (!model.notes.length)
    return;
  const items = model.notes.map(note => {
    const button = make("button", "", note.text);
    button.addEventListener("click", () => goTo(note.page));
    return make("li", "", button);
  });
  const title = make("summary", "", plural(model.notes.length, "note") +
    ": can be right, but look");
  byId("notes").replaceChildren(make("details", "", title, make("ul", "", ...items)));
}

// ---- Mouse and keyboard ----

function pageAt(event) {
  const cell = event.target.closest(".row .cell[data-page]");
  return cell ? Number(cell.dataset.page) : null;
}

// The cell to which an arrow key leads, or null.
function neighbour(cell, key) {
  const row = cell.parentNode, cells = [...row.querySelectorAll(".cell")];
  const column = cells.indexOf(cell);
  if (key === "ArrowLeft" || key === "ArrowRight")
    return cells[column + (key === "ArrowLeft" ? -1 : 1)] || null;
  if (key === "Home" || key === "End")
    return cells[key === "Home" ? 0 : cells.length - 1];
  const next = key === "ArrowUp" ? row.previousElementSibling
    : key === "ArrowDown" ? row.nextElementSibling : null;
  if (!next)
    return null;
  const others = [...next.querySelectorAll(".cell")];
  return others[Math.min(column, others.length - 1)];
}

function onKey(event) {
  if (event.key === "Escape") {
    keptPage = null;
    chooseEnv(keptEnv);
    return;
  }
  const cell = event.target.closest(".row .cell");
  if (!cell)
    return;
  const page = pageAt(event);
  if ((event.key === "Enter" || event.key === " ") && page !== null) {
    keepPage(page);
    event.preventDefault();
    return;
  }
  const next = neighbour(cell, event.key);
  if (next) {
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    event.preventDefault();
  }
}

function listen() {
  const pictures = byId("pictures");
  for (const kind of ["mouseover", "focusin"]) {
    pictures.addEventListener(kind, event => {
      const page = pageAt(event);
      if (page !== null)
        point(page);
    });
  }
  pictures.addEventListener("click", event => {
    const page = pageAt(event);
    if (page !== null)
      keepPage(page);
  });
  document.addEventListener("keydown", onKey);
  byId("every").addEventListener("change", drawPhysical);
}

function start() {
  group(model.errors, errorsOf);
  group(model.notes, notesOf);
  drawHeader();
  drawMistakes();
  drawLegend();
  drawEnvs();
  drawCpus();
  drawNotes();
  drawPhysical();
  const cpu = model.cpus[model.stop.cpu];
  const first = cpu && envs.get(cpu.env) || model.envs[0];
  if (first)
    drawSpace(first);
  listen();
}

start();
