// Comfort for readers with scripts; every page can be read without. No library but htmx, where the service serves forms.
"use strict";
const live = document.body.dataset.live === "yes", api = document.body.dataset.api, root = document.body.dataset.root;
const $ = (selector, from = document) => from.querySelector(selector), $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

// The words of the search, as service/web/search.py folds them.
const fold = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();

// Filter rows or articles by words.
for (const box of $$("[data-filter]")) {
  const rows = $$(box.dataset.filter), only = $("[data-only]"), count = $("#filter-count");
  const texts = rows.map(row => " " + fold(row.dataset.text || [...row.children].map(cell => cell.textContent).join(" ")));
  const apply = () => {
    const words = fold(box.value).split(" ").filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every(word => texts[at].includes(" " + word)) || Boolean(only && only.checked && !row.dataset[only.dataset.only]);
      shown += !row.hidden;
    });
    for (const group of $$("section.statute")) group.hidden = !$("article.norm:not([hidden])", group);
    if (count) count.textContent = `${shown} of ${rows.length}`;
  };
  box.addEventListener("input", apply);
  if (only) only.addEventListener("change", apply);
}

// Search in the browser, on pages that no service serves.
const search = $("[data-search]");
if (search && !live) {
  const query = new URLSearchParams(location.search).get("q") || "";
  search.value = query;
  const score = (words, entry) => {
    const whole = ` ${entry.text} `, title = ` ${fold(entry.title)} `;
    const held = words.filter(word => whole.includes(` ${word}`));
    if (words.length - held.length > (words.length > 2 ? 1 : 0)) return 0;
    let sum = held.length === words.length ? 1000 : 0;
    for (const word of held) {
      sum += 1 + whole.includes(` ${word} `) + title.includes(` ${word}`) + 2 * title.includes(` ${word} `);
    }
    return sum + (title.includes(words.join(" ")) ? 3 : 0);
  };
  const show = () => {
    const words = fold(search.value.slice(0, 200)).split(" ").filter(Boolean), found = $("#found");
    let hits = words.length ? (self.lawIndex || []).map(entry => [score(words, entry), entry]).filter(hit => hit[0]) : [];
    if (hits.some(hit => hit[0] >= 1000)) hits = hits.filter(hit => hit[0] >= 1000);
    hits.sort((a, b) => b[0] - a[0] || a[1].rank - b[1].rank || a[1].title.localeCompare(b[1].title));
    found.replaceChildren();
    if (words.length && !hits.length) found.append(Object.assign(document.createElement("p"), {textContent: "Nothing holds all of these words. Fewer words find more."}));
    const list = document.createElement("ol");
    list.className = "found";
    for (const [, entry] of hits.slice(0, 60)) {
      const item = document.createElement("li"), link = document.createElement("a"), detail = document.createElement("span");
      link.href = root + entry.url; link.textContent = entry.title; detail.className = "dim"; detail.textContent = entry.detail;
      item.append(link, document.createElement("br"), detail);
      list.append(item);
    }
    if (hits.length) found.append(list);
  };
  search.addEventListener("input", show);
  show();
}

// Comparison in the browser: two pages of places, side by side.
const compare = $("#compare");
if (compare && !live) {
  const wanted = new URLSearchParams(location.search), place = /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/;
  for (const name of ["a", "b", "on_a", "on_b"]) if (wanted.get(name)) compare.elements[name].value = wanted.get(name);
  const side = async (which, code, on) => {
    const answer = await fetch(`${root}places/${code}.html`);
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html"), made = document.createElement("section");
    made.className = "side"; made.setAttribute("aria-label", `${which}: ${code}, law of ${on}`);
    const heading = document.createElement("h2");
    heading.textContent = `${$("h1", page).firstChild.textContent.trim()}, law of ${on}`;
    made.append(heading);
    const list = document.createElement("ul");
    for (const article of $$("article.norm", page)) {
      const version = $$(".versions li", article).find(item => item.dataset.from <= on || item.dataset.from === "9999-12-31");
      if (!version) continue;
      const item = document.createElement("li");
      item.textContent = `${$("h4", article).textContent}: ${version.textContent.trim().replace(/\s+/g, " ")} [${$(".badge", article).textContent.trim()}]`;
      list.append(item);
    }
    const title = document.createElement("h3");
    title.textContent = "Norms in force";
    const table = $("table.answers", page);
    for (const marked of $$("[id]", table)) marked.removeAttribute("id");
    for (const link of $$("a", table)) link.setAttribute("href", root + link.getAttribute("href").replace("../", ""));
    made.append(table, title, list);
    return made;
  };
  const run = async () => {
    const sides = $("#sides"), form = compare.elements;
    try {
      const both = await Promise.all([side("left", form.a.value, form.on_a.value), side("right", form.b.value, form.on_b.value)]);
      sides.replaceChildren(...both);
    } catch {
      sides.textContent = "The pages of these places could not be read. Pages opened as files cannot read each other: put the folder on a web server, or open two places side by side.";
    }
  };
  compare.addEventListener("submit", event => {
    event.preventDefault();
    const form = compare.elements;
    history.replaceState(null, "", `?a=${form.a.value}&b=${form.b.value}&on_a=${form.on_a.value}&on_b=${form.on_b.value}`);
    run();
  });
  if (place.test(wanted.get("a") || "") && place.test(wanted.get("b") || "")) run();
}

// Calculator: facts live in the fragment of the address, which no server sees.
const calculator = $("#calculator");
if (calculator) {
  const fields = $$("input, select", calculator), share = $("#share"), said = $("#said"), print = $("#print"), answer = $("#answer");
  const facts = () => Object.fromEntries(fields.filter(field => field.value).map(field => [field.name, field.value]));
  const remember = () => {
    share.href = "#" + new URLSearchParams(facts());
    const command = $("#command"), quoted = value => /^[\w.\/:-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
    const options = new Set(["jurisdiction", "facility_type", "record", "modality", "study_date", "birth_date", "discharge_date", "last_service_date", "death_date", "payer", "ownership", "as_of"]);
    if (command) command.textContent = "compliance purge-date " + Object.entries(facts()).filter(([name, value]) => name !== "assume" || value !== "none").map(([name, value]) =>
      name === "assume" ? `--assume ${value}` : options.has(name) ? `--${name.replaceAll("_", "-")} ${quoted(value)}` : `--fact ${quoted(name + "=" + value)}`).join(" ");
  };
  const recall = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const field of fields) if (given.has(field.name)) field.value = given.get(field.name);
    for (const more of $$("details", calculator)) more.open ||= $$("input, select", more).some(field => field.value);
    remember();
    return given;
  };
  const compute = async () => {
    answer.setAttribute("aria-busy", "true");
    said.textContent = "";
    try {
      if (live) {
        const reply = await fetch("calculator.html", {method: "POST", headers: {"X-Fragment": "answer"}, body: new URLSearchParams(facts())});
        const page = new DOMParser().parseFromString(await reply.text(), "text/html");
        const lines = $$("[data-said], [data-problems] p, [data-problems] li", page).map(line => line.textContent.trim());
        answer.replaceChildren(...page.body.childNodes);
        said.textContent = lines.join(" ");
      } else {
        const text = document.createElement("pre");
        text.tabIndex = 0;
        text.textContent = await (await asked()).text();
        answer.replaceChildren(text);
        said.textContent = text.textContent.split("\n\n")[0].replace(/\s+/g, " ");
      }
    } catch {
      answer.textContent = said.textContent = "The service did not answer.";
    }
    answer.removeAttribute("aria-busy");
  };
  const asked = () => {
    const {as_of, assume, ...rest} = facts();
    const values = Object.entries(rest).map(([name, value]) => [name, value.includes(",") ? value.split(",").map(word => word.trim()).filter(Boolean) : value]);
    const body = {as_of, facts: Object.fromEntries(values)};
    return fetch(`${api}/v1/explain${["practical", "cautious"].includes(assume) ? `?assume=${assume}` : ""}`, {method: "POST", credentials: "omit", headers: {"Content-Type": "application/json", Accept: "text/plain"}, body: JSON.stringify(body)});
  };
  calculator.addEventListener("input", remember);
  calculator.addEventListener("submit", event => {
    event.preventDefault();
    history.replaceState(null, "", "#" + new URLSearchParams(facts()));
    if (live || api) compute();
  });
  addEventListener("hashchange", recall);
  print.hidden = false;
  print.addEventListener("click", () => self.print());
  const given = recall();
  if ((live || api) && given.get("study_date") && given.get("jurisdiction")) compute();
}
