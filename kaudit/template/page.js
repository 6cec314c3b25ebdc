"use strict";
(() => {
  const PAGE = 100, PAGED = 120, PRINTED = 500, LONG = 400, HEAD = 160, NOTHING = "–";
  const BADGES = JSON.parse(document.getElementById("badges").textContent);
  const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
  const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const tables = [];

  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const number = n => n.toLocaleString("en-US");

  // Rows are either elements of the page, or data from which a screenful is built.
  const fromPage = body => {
    const rows = [...body.rows];
    return {
      size: rows.length,
      anchors: rows.map(row => row.id),
      text: (row, column) => cellText(rows[row].cells[column]),
      element: row => rows[row],
    };
  };
  const cellText = cell => {
    const badge = cell.querySelector(".badge"), long = cell.querySelector("details");
    if (badge) return badge.lastChild.textContent;
    const text = long ? long.lastChild.textContent : cell.textContent;
    return cell.querySelector(".self") ? text.slice(0, -1) : text;
  };
  const fromData = (script, kinds, styles) => {
    const data = JSON.parse(script.textContent);
    return {
      size: data.columns[0].length,
      anchors: data.anchors,
      text: (row, column) => data.columns[column][row],
      element: row => {
        const cells = kinds.map((kind, column) =>
          buildCell(kind, styles[column], data.columns[column][row], data.links[column]?.[row]));
        const id = data.anchors[row];
        if (id) {
          const self = make("a", { className: "self", href: "#" + id }, "#");
          self.setAttribute("aria-label", "Link to this row");
          cells[0].append(self);
        }
        return make("tr", { id: id || "" }, ...cells);
      },
    };
  };
  const lines = text => text.split("\n").flatMap((line, at) => (at ? [make("br"), line] : [line]));
  const buildCell = (kind, style, text, link) => {
    if (text === NOTHING) return make("td", { className: style + " none" }, NOTHING);
    const cell = make("td", { className: style }), badge = BADGES[kind]?.[text];
    if (badge) {
      const shape = make("span", { className: "shape" }, badge[1]);
      shape.setAttribute("aria-hidden", "true");
      cell.append(make("span", { className: "badge k-" + badge[0] }, shape, text));
    } else if (link) {
      cell.append(make("a", { href: link, rel: "noreferrer noopener" }, text));
    } else {
      const inner = kind === "code" ? [make("code", {}, ...lines(text))] : lines(text);
      if (text.length > LONG) {
        const head = `${text.slice(0, HEAD)}… (${number(text.length)} characters)`;
        cell.append(make("details", {}, make("summary", {}, head), ...inner));
      } else cell.append(...inner);
    }
    return cell;
  };

  const sortKey = (kind, text) => {
    if (kind === "number") return text === NOTHING ? NaN : parseFloat(text.replaceAll(",", ""));
    if (BADGES[kind]) return BADGES[kind][text]?.[2] ?? 99;
    return text;
  };

  const setUp = figure => {
    const size = Number(figure.dataset.rows), body = figure.querySelector("tbody");
    if (size < 2) return;
    const heads = [...figure.querySelectorAll("thead th")];
    const kinds = heads.map(head => head.dataset.kind), styles = heads.map(head => head.className);
    const script = figure.querySelector('script[type="application/json"]');
    const caption = figure.querySelector("caption").textContent;
    let source = null, hay = null, order = null, shown = [], page = 0, query = "", whole = false;
    const rows = () => (source ??= script ? fromData(script, kinds, styles) : fromPage(body));
    const cells = row => kinds.map((_, column) => rows().text(row, column));

    const search = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const counted = make("span", { className: "count" });
    counted.setAttribute("role", "status");
    const save = make("button", { type: "button" }, "Save as CSV");
    const tools = make("div", { className: "tools" });
    if (size > 8) tools.append(make("label", {}, "Search", search));
    tools.append(counted);
    if (size > 8) tools.append(save), figure.prepend(tools);
    const steps = ["First", "Previous", "Next", "Last"].map(name => make("button", { type: "button" }, name));
    const where = make("span"), pager = make("nav", { className: "pager" });
    pager.setAttribute("aria-label", "Pages of " + caption);
    pager.append(steps[0], steps[1], where, steps[2], steps[3]);
    if (size > PAGED) {
      figure.querySelector(".scroll").after(pager);
      figure.querySelector(".rest")?.remove();
    }

    const filter = () => {
      order ??= Array.from({ length: size }, (_, row) => row);
      if (query) hay ??= Array.from({ length: size }, (_, row) => cells(row).join("\n").toLowerCase());
      shown = query ? order.filter(row => hay[row].includes(query)) : order;
    };
    const draw = () => {
      if (!order) filter();
      const step = whole ? PRINTED : size > PAGED ? PAGE : size;
      const last = Math.max(0, Math.ceil(shown.length / step) - 1);
      page = Math.min(Math.max(page, 0), last);
      const from = page * step, part = shown.slice(from, from + step);
      body.replaceChildren(...part.map(row => rows().element(row)));
      counted.textContent = query ? `${number(shown.length)} of ${number(size)} rows` : `${number(size)} rows`;
      where.textContent = part.length
        ? `Rows ${number(from + 1)}–${number(from + part.length)} of ${number(shown.length)}` : "No row matches";
      steps[0].disabled = steps[1].disabled = page === 0;
      steps[2].disabled = steps[3].disabled = page === last;
    };
    const goes = [() => 0, () => page - 1, () => page + 1, () => Infinity];
    steps.forEach((button, at) => button.addEventListener("click", () => { page = goes[at](); draw(); }));
    search.addEventListener("input", () => {
      query = search.value.trim().toLowerCase();
      page = 0;
      filter();
      draw();
    });

    const sort = (column, head) => {
      const kind = kinds[column], down = head.getAttribute("aria-sort") === "ascending"
        || (kind === "number" && !head.hasAttribute("aria-sort"));
      const keys = Array.from({ length: size }, (_, row) => sortKey(kind, rows().text(row, column)));
      const void_ = key => key === NOTHING || Number.isNaN(key);
      const simple = typeof keys[0] === "number" || size > 20000;
      const compare = simple ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : natural.compare;
      order = Array.from({ length: size }, (_, row) => row).sort((a, b) => {
        const x = keys[a], y = keys[b];
        if (void_(x) || void_(y)) return void_(x) - void_(y) || a - b;
        return (down ? -compare(x, y) : compare(x, y)) || a - b;
      });
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      page = 0;
      filter();
      draw();
    };
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", title: "Sort" }, ...head.childNodes);
      button.addEventListener("click", () => sort(column, head));
      head.replaceChildren(button);
    });

    save.addEventListener("click", () => {
      if (!order) filter();
      const field = (text, column) => {
        const plain = kinds[column] === "number" ? text.replaceAll(",", "") : FORMULA.test(text) ? "'" + text : text;
        return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
      };
      const top = heads.map((head, column) => field(head.textContent, -1)).join(",");
      const csv = [top, ...shown.map(row => cells(row).map(field).join(","))].join("\r\n") + "\r\n";
      const url = URL.createObjectURL(new Blob(["\ufeff", csv], { type: "text/csv" }));
      const name = caption.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 60) || "table";
      make("a", { href: url, download: name + ".csv" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    });

    tables.push({
      print: on => { whole = on; if (size > PAGED) draw(); },
      find: id => {
        if (script && !source && !script.textContent.includes(`"${id}"`)) return false;
        const row = rows().anchors.indexOf(id);
        if (row < 0) return false;
        query = search.value = "";
        filter();
        page = size > PAGED ? Math.floor(shown.indexOf(row) / PAGE) : 0;
        draw();
        return true;
      },
    });
    counted.textContent = `${number(size)} rows`;
    if (size > PAGED) draw();
  };

  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    document.querySelectorAll("tr.target").forEach(row => row.classList.remove("target"));
    if (!id) return;
    if (!document.getElementById(id) && !tables.some(table => table.find(id))) return;
    const found = document.getElementById(id);
    if (found.tagName === "TR") found.classList.add("target");
    found.scrollIntoView({ block: "center", behavior: "instant" });
  };

  const contents = document.querySelector("nav.contents");
  const links = new Map([...contents.querySelectorAll("a")].map(link => [link.hash.slice(1), link]));
  const heads = [...links.keys()].map(id => document.getElementById(id)).filter(Boolean);
  const mark = () => {
    const above = heads.filter(head => head.getBoundingClientRect().top < 140);
    const link = links.get((above.at(-1) ?? heads[0])?.id);
    links.forEach(other => other.removeAttribute("aria-current"));
    contents.querySelectorAll(".here").forEach(item => item.classList.remove("here"));
    if (!link) return;
    link.setAttribute("aria-current", "true");
    for (let item = link.closest("li"); item; item = item.parentElement.closest("li")) item.classList.add("here");
  };

  document.querySelectorAll("figure.table").forEach(setUp);
  contents.classList.add("live");
  let waiting = false;
  addEventListener("scroll", () => {
    if (!waiting) requestAnimationFrame(() => { waiting = false; mark(); });
    waiting = true;
  }, { passive: true });
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => tables.forEach(table => table.print(true)));
  addEventListener("afterprint", () => tables.forEach(table => table.print(false)));
  mark();
  follow();
})();
