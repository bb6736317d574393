/* The console's one script. Every page works without it; it swaps fragments, follows progress,
   asks before acts that matter, and guards against double clicks. */
(() => {
  "use strict";
  const $ = (pick, within = document) => within.querySelector(pick);
  const all = (pick, within = document) => [...within.querySelectorAll(pick)];
  const said = $("#said");
  const say = (words) => { if (said) { said.textContent = ""; setTimeout(() => { said.textContent = words; }, 50); } };

  // Fragments: the same address with a header gives one part of the page.
  const newest = new Map(), texts = new Map();
  async function swap(id, url, options = {}) {
    const old = document.getElementById(id);
    if (!old) return false;
    const turn = (newest.get(id) || 0) + 1;
    newest.set(id, turn);
    old.classList.add("busy");
    old.setAttribute("aria-busy", "true");
    try {
      const reply = await fetch(url, {
        credentials: "same-origin", ...options, headers: { "X-Fragment": id },
      });
      if (newest.get(id) !== turn) return false;
      if (reply.status === 401) over();
      if (reply.headers.get("X-Fragment") !== id) {
        if (!options.body && !options.quiet) location.assign(url);
        return false;
      }
      const holder = document.createElement("template");
      holder.innerHTML = await reply.text();
      const fresh = holder.content.firstElementChild;
      const html = fresh.outerHTML; // what has not changed stays, and is not read out again
      if (options.quiet && texts.get(id) === html && fresh.dataset.live) { enliven(old); return true; }
      texts.set(id, html);
      const at = document.activeElement;
      const field = at && old.contains(at) ? at.id : "";
      const caret = field && at.selectionStart !== undefined ? safe(() => at.selectionStart) : null;
      old.replaceWith(fresh);
      enliven(fresh);
      if (field) {
        const again = document.getElementById(field);
        if (again) { again.focus({ preventScroll: true }); if (caret !== null) safe(() => again.setSelectionRange(caret, caret)); }
      }
      if (fresh.dataset.say) say(fresh.dataset.say);
      if (fresh.dataset.go) location.assign(fresh.dataset.go);
      return true;
    } catch {
      return false;
    } finally {
      const now = document.getElementById(id);
      if (now) { now.classList.remove("busy"); now.removeAttribute("aria-busy"); }
    }
  }
  const safe = (act) => { try { return act(); } catch { return null; } };
  const later = (act, wait) => { let timer; return (...given) => { clearTimeout(timer); timer = setTimeout(() => act(...given), wait); }; };

  function address(form, button) {
    const url = new URL(form.action, location.href);
    const values = new FormData(form);
    if (button && button.name) values.set(button.name, button.value);
    url.search = "";
    for (const [name, value] of values) if (value !== "") url.searchParams.append(name, value);
    return url;
  }
  async function look(form, keep = true) {
    const url = address(form);
    if (!form.isConnected || url.href === location.href) return;
    if (await swap(form.dataset.swap, url) && keep) history.replaceState(null, "", url);
  }
  const soon = later(look, 220);

  document.addEventListener("input", (event) => {
    const field = event.target;
    const form = field.form;
    if (field.dataset.all) return; // all follow at its change
    if (field.dataset.moves) { // a slider moves its number field
      const number = document.getElementById(field.dataset.moves);
      number.value = field.value;
      number.dispatchEvent(new Event("input", { bubbles: true }));
      return;
    }
    const slider = field.id && $(`[data-moves="${field.id}"]`);
    if (slider) slider.value = field.value;
    if (form && form.id === "create") total(form);
    if (field.dataset.finds) { press(field.dataset.finds); return; }
    if (form && form.dataset.swap && form.method === "get" && field.type !== "checkbox") soon(form);
    count(form);
  });
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset.all) { [...field.form.elements].forEach((each) => { if (each.name === field.dataset.all) each.checked = field.checked; }); }
    count(field.form);
    if (field.dataset.finds) { press(field.dataset.finds); return; }
    const form = field.form;
    if (form && form.dataset.swap && form.method === "get") soon(form);
    if (form && form.id === "create") total(form);
  });
  const press = later((id) => {
    const button = document.getElementById(id);
    if (button) button.click();
  }, 220);

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = event.target.closest("a[data-swap], [data-swap] thead th a, [data-swap] .pages a, [data-swap] .tabs a");
    if (link) {
      const id = (link.closest("[data-swap]") || link).dataset.swap;
      if (!document.getElementById(id)) return;
      event.preventDefault();
      const from = link.id;
      swap(id, link.href).then((done) => {
        if (!done) return;
        history.pushState(null, "", link.href);
        const again = from && document.getElementById(from);
        if (again) again.focus();
      });
      return;
    }
    const close = event.target.closest("[data-close]");
    if (close) close.closest(".note").remove();
  });
  addEventListener("popstate", () => location.reload());
  document.addEventListener("click", (event) => { // a menu closes when one looks elsewhere
    all("details.ask[open], details.who[open], details.menu[open]").forEach((each) => { if (!each.contains(event.target)) each.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    const finds = event.key === "Enter" && event.target.dataset && event.target.dataset.finds;
    if (finds) { event.preventDefault(); press(finds); return; }
    if (event.key !== "Escape") return;
    const open = event.target.closest && event.target.closest("details.ask[open], details.who[open], details.menu[open]");
    if (open) { open.open = false; $("summary", open).focus(); }
  });

  // Forms: one question before what matters, and no second sending.
  let asked = null;
  function ask(form, button) {
    const dialog = $("#ask");
    if (!dialog || !dialog.showModal) return false;
    const words = (button && button.dataset.confirm) || form.dataset.confirm;
    $("#ask-title").textContent = (button && button.dataset.title) || form.dataset.title || (button && button.textContent.trim()) || "Sure?";
    $("#ask-words").textContent = words.replace("{n}", chosen(form));
    $("#ask-yes").textContent = (button && button.textContent.trim()) || "Yes";
    dialog.returnValue = "";
    dialog.showModal();
    dialog.onclose = () => {
      if (dialog.returnValue !== "yes") return;
      asked = form;
      form.requestSubmit(button || undefined);
    };
    return true;
  }
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const button = event.submitter;
    if (form.method === "dialog" || (button && button.formMethod === "dialog")) return;
    if (form.dataset.swap && form.method === "get") { event.preventDefault(); look(form); return; }
    if (button && button.dataset.swap) { // a part of a form looked at anew: nothing is kept yet
      event.preventDefault();
      const values = new FormData(form);
      values.set(button.name, button.value);
      swap(button.dataset.swap, form.action, { method: "POST", body: values }).then(() => { total(form); });
      return;
    }
    if (form.method !== "post") return;
    const wants = (button && button.dataset.confirm) || form.dataset.confirm;
    if (wants && asked !== form && ask(form, button)) { event.preventDefault(); return; }
    asked = null;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    if (button) { button.setAttribute("aria-disabled", "true"); if (button.dataset.busy) { button.dataset.was = button.innerHTML; button.textContent = button.dataset.busy; } }
  });
  addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    all("[aria-disabled=true]", form).forEach((each) => {
      each.removeAttribute("aria-disabled");
      if (each.dataset.was) each.innerHTML = each.dataset.was;
    });
  }));

  const chosen = (form) => [...form.elements].filter((each) => each.name === "ids" && each.checked).length;
  function count(form) {
    const told = form && $("[data-count]", form);
    if (!told) return;
    const many = chosen(form), most = [...form.elements].filter((each) => each.name === "ids").length;
    told.textContent = `${many} ticked`;
    all("[data-all]").filter((each) => each.form === form).forEach((each) => { each.checked = many === most; each.indeterminate = many > 0 && many < most; });
    all("[data-needs]", form).forEach((each) => { each.disabled = !many; });
  }
  function total(form) {
    const value = (name) => { const field = form.elements[name]; return field ? field.value : ""; };
    const budget = Number(value("daily_budget")), days = Number(value("duration_days"));
    const box = $("#summary");
    if (!box) return;
    const { currency, decimals } = box.dataset; // Meta's own decimals, not those of ISO 4217
    const money = (amount) => {
      const text = amount.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
      return currency === "USD" ? `$${text}` : `${text} ${currency}`;
    };
    const put = (name, words) => { const place = $(`[data-put="${name}"]`, box); if (place) place.textContent = words; };
    put("budget", budget > 0 ? money(budget) : "–");
    put("days", days > 0 ? `${days} ${days === 1 ? "day" : "days"}` : "–");
    put("total", budget > 0 && days > 0 ? money(budget * days) : "–");
    const objective = $('input[name="objective"]:checked', form);
    if (objective) put("objective", objective.dataset.words);
    const many = all('input[name="product_ids"]:checked, input[name="product_ids"][type=hidden]', form).length;
    put("products", many ? `${many} chosen` : "The first of the catalogue");
    put("name", value("name").trim() || "Auto-generated");
  }

  // Progress: a part that says so is asked for again until it says no more.
  function enliven(root) {
    const parts = root.matches && root.matches("[data-live]") ? [root] : [];
    for (const part of parts.concat(all("[data-live]", root))) {
      const wait = Number(part.dataset.every) || 2000;
      const again = () => {
        if (!part.isConnected) return;
        // Not under a question that is being answered: its form would be gone when it is.
        if (document.hidden || $("#ask[open]") || part.querySelector("details[open].ask")) { setTimeout(again, wait); return; }
        swap(part.id, part.dataset.live, { quiet: true }).then((done) => { if (!done) setTimeout(again, wait * 3); });
      };
      setTimeout(again, wait);
    }
    for (const each of (root.querySelectorAll ? all("[data-script]", root) : [])) each.hidden = false;
    if (root.dataset && "script" in root.dataset) root.hidden = false;
    if (!root.querySelectorAll) return;
    all("form", root).forEach(count);
    // On a phone the tabs are wider than the screen: the one that is open is in sight.
    all(".tabs [aria-current]", root).forEach((each) => { const tabs = each.parentElement; tabs.scrollLeft = each.offsetLeft + each.offsetWidth - tabs.offsetLeft - tabs.clientWidth + 14; });
  }

  function over() {
    const told = $("#ending");
    if (told) { told.hidden = false; $("[data-left]", told).textContent = "now over"; }
  }
  function session() {
    const until = Date.parse(document.body.dataset.until || "");
    const told = $("#ending");
    if (!until || !told) return;
    const look = () => {
      const left = until - Date.now();
      if (left < 5 * 60e3) { told.hidden = false; $("[data-left]", told).textContent = left > 60e3 ? `in ${Math.ceil(left / 60e3)} minutes` : left > 0 ? "in less than a minute" : "now over"; }
      setTimeout(look, 30e3);
    };
    look();
  }

  function start() {
    document.documentElement.classList.add("js");
    all("[data-off]").forEach((each) => each.remove());
    enliven(document.body);
    session();
    const create = $("form#create");
    if (create) total(create);
    const flash = all("main > .flash");
    if (flash.length) { // what was done shows as a toast; what went wrong stays where it is
      const place = $(".toasts");
      flash.filter((each) => each.classList.contains("good")).forEach((each) => { place.append(each); setTimeout(() => each.remove(), 12000); });
    }
    const wrong = $("[data-first-wrong]");
    if (wrong) wrong.focus();
  }
  start();
})();
