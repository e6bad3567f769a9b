// The desk page without reloading: state, count-downs, signature, relay. The page works without this, except signing.
// Every form is answered with a whole page by the server; here its parts are put in place of the old ones.
"use strict";
(() => {
  const POLL_MS = 500;
  const DRAFT_MS = 300;
  const FRAME_MS = 150;
  const SHARE = 0.8; // of the window's height, for the relay
  const SPOKEN_AT = [60, 30, 10, 5]; // seconds left that a screen reader says
  const byId = (id) => document.getElementById(id);
  const told = () => byId("main").dataset;
  let sending = false;
  let drafting = 0;
  let pad = null;

  const post = (url, body, type, keepalive = false) =>
    fetch(url, {
      method: "POST",
      body,
      keepalive,
      headers: Object.assign(
        { Accept: "text/html", "X-Desk-Token": told().token, "X-Desk-Lease": told().lease },
        type ? { "Content-Type": type } : {}
      ),
    });

  // --- state ---------------------------------------------------------------
  function notices(sentences, lang = "ja") {
    const place = byId("notices");
    const shown = Array.from(place.children, (line) => line.textContent);
    if (JSON.stringify(shown) === JSON.stringify(sentences)) return;
    place.lang = lang;
    place.replaceChildren(
      ...sentences.map((sentence) => {
        const line = document.createElement("p");
        line.className = "notice";
        line.textContent = sentence;
        return line;
      })
    );
  }

  function trouble(sentence) {
    const line = document.createElement("p");
    line.className = "trouble";
    line.textContent = sentence;
    byId("trouble").replaceChildren(line);
    byId("trouble").focus();
  }

  function countDown(id, seconds) {
    const place = byId(id);
    if (!place || seconds === null || place.textContent === String(seconds)) return;
    place.textContent = String(seconds);
    if (SPOKEN_AT.includes(seconds)) byId("announce").textContent = place.closest("p").textContent;
  }

  function warnIdle(seconds) {
    const place = byId("idle");
    if (!place) return;
    const appears = place.hidden && seconds !== null;
    countDown("idle-left", seconds);
    place.hidden = seconds === null;
    if (appears) byId("announce").textContent = place.querySelector("p").textContent;
  }

  function putIn(text, focused) {
    const next = new DOMParser().parseFromString(text, "text/html");
    if (!next.getElementById("main")) throw new Error("no page");
    document.title = next.title;
    document.documentElement.lang = next.documentElement.lang;
    Object.assign(document.documentElement.dataset, next.documentElement.dataset);
    document.body.dataset.view = next.body.dataset.view;
    for (const id of ["head", "main", "foot"]) byId(id).replaceWith(next.getElementById(id));
    begin();
    const chosen = focused && byId("head").querySelector(focused);
    const first = byId("trouble").children.length ? byId("trouble") : byId("main").querySelector("h1");
    (chosen || first).focus();
  }

  async function look() {
    try {
      const now = await (await fetch("/status.json")).json();
      notices(now.notices);
      countDown("grace-left", now.grace_left);
      warnIdle(now.idle_left);
      if (now.key !== told().key && !sending) putIn(await (await fetch("/", { headers: { Accept: "text/html" } })).text());
    } catch {
      notices([told().noAnswer], document.documentElement.lang);
    }
    setTimeout(look, POLL_MS);
  }

  // --- forms -----------------------------------------------------------------
  async function send(event) {
    const form = event.target;
    const button = event.submitter;
    if (form.id === "relay-text") return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    clearTimeout(drafting);
    drafting = 0;
    keepDrawing();
    const setting = button && button.closest(".settings");
    const body = new FormData(form, button);
    if (!setting && button) button.disabled = true;
    try {
      const answer = await post((button && button.getAttribute("formaction")) || form.getAttribute("action"), body);
      if (!(answer.headers.get("Content-Type") || "").startsWith("text/html")) throw new Error("no page");
      putIn(await answer.text(), setting && `[name="${button.name}"]:is([value="${button.value}"], [name="contrast"], [name="kana"])`);
    } catch {
      trouble(told().notSent);
      if (button) button.disabled = false;
      keepDraft();
    }
    sending = false;
  }

  function sendDraft(leaving = false) {
    clearTimeout(drafting);
    drafting = 0;
    const form = byId("confirm");
    if (form) post("/draft", new FormData(form), "", leaving).catch(() => {}); // it is still on the page; the next one may go through
  }

  function keepDraft() {
    clearTimeout(drafting);
    drafting = setTimeout(() => sendDraft(), DRAFT_MS);
  }

  // --- signature -------------------------------------------------------------
  // What is kept: {strokes: [[[x, y, milliseconds], …], …], width, height}, whole numbers, from the top left corner.
  function strokesOf(groups, width, height) {
    const clamp = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
    const first = Math.min(...groups.map((group) => group.points[0].time));
    const strokes = groups.map((group) =>
      group.points.map((point) => [clamp(point.x, width), clamp(point.y, height), Math.max(0, Math.round(point.time - first))])
    );
    return { strokes, width: Math.round(width), height: Math.round(height) };
  }

  // The pad counts time from 1970: what was drawn before is put just before now, so that new strokes come after it.
  function groupsOf(kept, width, height) {
    const began = Date.now() - Math.max(...kept.strokes.flat().map((point) => point[2]));
    return kept.strokes.map((stroke) => ({
      ...{ penColor: "#000000", dotSize: 3, minWidth: 1.5, maxWidth: 4, velocityFilterWeight: 0.7, compositeOperation: "source-over" },
      points: stroke.map(([x, y, time]) => ({ x: (x * width) / kept.width, y: (y * height) / kept.height, time: began + time, pressure: 0.5 })),
    }));
  }

  function sayWritten() {
    const state = byId("sign-state");
    state.textContent = byId("strokes").value ? state.dataset.done : state.dataset.empty;
  }

  function keepDrawing() {
    if (!pad || !pad.changed || !byId("strokes")) return;
    const groups = pad.toData().filter((group) => group.points.length);
    byId("strokes").value = groups.length ? JSON.stringify(strokesOf(groups, pad.width, pad.height)) : "";
    pad.changed = false;
    sayWritten();
  }

  function signature() {
    const canvas = byId("pad");
    pad = null;
    if (!canvas) return;
    pad = new SignaturePad(canvas, { penColor: "#000000", dotSize: 3, minWidth: 1.5, maxWidth: 4, throttle: 0, minDistance: 1 });
    pad.changed = false;
    const written = () => {
      pad.changed = true;
      keepDrawing();
      sendDraft();
    };
    pad.addEventListener("endStroke", written);
    byId("clear").addEventListener("click", () => {
      pad.clear();
      written();
    });
    fitPad(canvas); // before the first stroke: one that came earlier would stand for everything drawn
    new ResizeObserver(() => fitPad(canvas)).observe(canvas);
    sayWritten();
  }

  // A hidden or resized pad starts anew: what was drawn is put in again from what is kept.
  function fitPad(canvas) {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!pad || !width || (pad.width === width && pad.height === height)) return;
    keepDrawing();
    const ratio = Math.max(1, window.devicePixelRatio);
    Object.assign(pad, { width, height });
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.getContext("2d").scale(ratio, ratio);
    pad.clear();
    try {
      pad.fromData(groupsOf(JSON.parse(byId("strokes").value), width, height));
    } catch {
      // nothing drawn yet
    }
  }

  function confirmForm() {
    const form = byId("confirm");
    if (!form) return;
    form.addEventListener("input", keepDraft);
    for (const answer of form.querySelectorAll('[name="own_name"]')) {
      answer.addEventListener("change", () => {
        byId("announce").textContent = answer.value === "other" && answer.checked ? byId("call-staff").textContent.trim() : "";
      });
    }
  }

  // --- relay (training without a display) --------------------------------------
  // One after the other: a PIN must arrive in the order in which it was typed.
  let passing = Promise.resolve();
  const tell = (action) => {
    passing = passing.then(() => post("/relay/input", JSON.stringify(action), "application/json")).catch(() => {});
  };

  function relay() {
    const area = byId("relay");
    if (!area) return;
    const picture = byId("frame");
    const width = Number(area.dataset.width);
    const height = Number(area.dataset.height);
    const fit = () => {
      const factor = Math.min(1, area.parentElement.clientWidth / (width + 8), (window.innerHeight * SHARE) / height);
      picture.width = Math.floor(width * factor);
      picture.height = Math.floor(height * factor);
    };
    fit();
    window.onresize = fit;
    const place = (event) => {
      const box = picture.getBoundingClientRect();
      const scale = (value, from, size) => Math.min(size - 1, Math.max(0, Math.floor((value * size) / from)));
      return {
        x: scale(event.clientX - box.left, box.width, width),
        y: scale(event.clientY - box.top, box.height, height),
      };
    };
    area.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      tell({ kind: "click", ...place(event), button: event.button + 1 });
      area.focus({ preventScroll: true });
    });
    area.addEventListener("contextmenu", (event) => event.preventDefault());
    area.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        tell({ kind: "scroll", ...place(event), steps: Math.sign(event.deltaY) * 2 });
      },
      { passive: false }
    );
    area.addEventListener("keydown", (event) => {
      if (event.key === "F6") {
        byId("finish").focus();
        return;
      }
      if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
      event.preventDefault();
      if (["Shift", "CapsLock", "Process", "Dead", "Unidentified"].includes(event.key)) return;
      const held = event.shiftKey ? "Shift+" : "";
      tell(event.key.length === 1 ? { kind: "text", text: event.key } : { kind: "key", key: held + event.key });
    });
    byId("relay-text").addEventListener("submit", (event) => {
      event.preventDefault();
      const words = byId("relay-words");
      if (words.value) tell({ kind: "text", text: words.value });
      words.value = "";
    });
    const again = () => setTimeout(() => area.isConnected && (picture.src = `/relay/frame.jpg?n=${Date.now()}`), FRAME_MS);
    picture.addEventListener("load", again);
    picture.addEventListener("error", again);
    again();
  }

  function begin() {
    signature();
    confirmForm();
    relay();
  }

  document.addEventListener("submit", send);
  addEventListener("pagehide", () => drafting && sendDraft(true));
  begin();
  look();
})();
