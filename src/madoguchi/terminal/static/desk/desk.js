// The desk page without reloading: state, count-downs, signature, relay. The page works without this, except signing.
"use strict";
(() => {
  const POLL_MS = 500;
  const FRAME_MS = 150;
  const SHARE = 0.8; // of the window's height, for the relay
  const byId = (id) => document.getElementById(id);
  const token = () => byId("main").dataset.token;
  let strokes = [];
  let sending = false;

  const post = (url, body, json) =>
    fetch(url, {
      method: "POST",
      body,
      headers: Object.assign({ Accept: "application/json", "X-Desk-Token": token() }, json ? { "Content-Type": "application/json" } : {}),
    });

  // --- state ---------------------------------------------------------------
  function show(id, value) {
    const place = byId(id);
    if (place && value !== null) place.textContent = String(value);
  }

  function notices(sentences) {
    const place = byId("notices");
    const shown = Array.from(place.children, (line) => line.textContent);
    if (JSON.stringify(shown) === JSON.stringify(sentences)) return;
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
    const place = byId("trouble");
    place.replaceChildren();
    if (!sentence) return;
    const line = document.createElement("p");
    line.className = "trouble";
    line.textContent = sentence;
    place.append(line);
    place.scrollIntoView({ block: "nearest" });
  }

  async function swap() {
    const answer = await fetch("/", { headers: { Accept: "text/html" } });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = next.title;
    document.body.dataset.view = next.body.dataset.view;
    byId("main").replaceWith(next.getElementById("main"));
    strokes = [];
    begin();
    byId("main").querySelector("h1").focus();
  }

  async function look() {
    try {
      const now = await (await fetch("/status.json")).json();
      notices(now.notices);
      show("grace-left", now.grace_left);
      show("idle-left", now.idle_left);
      if (byId("idle")) byId("idle").hidden = now.idle_left === null;
      if (now.key !== byId("main").dataset.key && !sending) await swap();
    } catch {
      notices(["端末のソフトが応答しません。そのままお待ちください。続くときは係員に知らせてください。"]);
    }
    setTimeout(look, POLL_MS);
  }

  // --- forms that only ask for something -----------------------------------
  function quietForms() {
    for (const form of document.querySelectorAll("form[action='/finish'], form[action='/stay']")) {
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        const button = form.querySelector("button");
        button.disabled = true;
        await answerOf(post(form.action, new FormData(form)));
        button.disabled = false;
      });
    }
  }

  async function answerOf(request) {
    try {
      const answer = await request;
      if (answer.ok) {
        trouble("");
        return true;
      }
      trouble((await answer.json()).sentence);
    } catch {
      trouble("送れませんでした。入力はそのままです。少し待って、もう一度押してください。");
    }
    return false;
  }

  // --- signature -------------------------------------------------------------
  function pad() {
    const canvas = byId("pad");
    if (!canvas) return;
    const pen = canvas.getContext("2d");
    let started = 0;
    let current = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const clamp = (value, most) => Math.min(most, Math.max(0, Math.round(value)));
      return [
        clamp(((event.clientX - box.left) * canvas.width) / box.width, canvas.width),
        clamp(((event.clientY - box.top) * canvas.height) / box.height, canvas.height),
        Math.round(event.timeStamp - started),
      ];
    };
    const draw = () => {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      pen.lineWidth = 4;
      pen.lineCap = pen.lineJoin = "round";
      for (const stroke of strokes) {
        pen.beginPath();
        pen.moveTo(stroke[0][0], stroke[0][1]);
        for (const [x, y] of stroke) pen.lineTo(x, y);
        pen.stroke();
      }
      byId("strokes").value = strokes.length ? JSON.stringify({ strokes, width: canvas.width, height: canvas.height }) : "";
      byId("sign-state").textContent = strokes.length ? "書かれています。" : "まだ書かれていません。";
    };
    canvas.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      if (event.button !== 0 || current) return;
      if (!strokes.length) started = event.timeStamp;
      canvas.setPointerCapture(event.pointerId);
      current = event.pointerId;
      strokes.push([place(event)]);
      draw();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== current) return;
      for (const step of event.getCoalescedEvents ? event.getCoalescedEvents() : [event]) strokes.at(-1).push(place(step));
      draw();
    });
    const lift = (event) => {
      if (event.pointerId === current) current = null;
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    byId("clear").addEventListener("click", () => {
      strokes = [];
      draw();
    });
    draw();
  }

  function confirmForm() {
    const form = byId("confirm");
    if (!form) return;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      sending = true;
      byId("send").disabled = true;
      const kept = await answerOf(post(form.action, new FormData(form)));
      sending = false;
      if (kept) await swap();
      else byId("send").disabled = false;
    });
  }

  // --- relay (training without a display) --------------------------------------
  // One after the other: a PIN must arrive in the order in which it was typed.
  let passing = Promise.resolve();
  const tell = (action) => {
    passing = passing.then(() => post("/relay/input", JSON.stringify(action), true)).catch(() => {});
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
    quietForms();
    pad();
    confirmForm();
    relay();
  }

  begin();
  look();
})();
