// Says when the page is no longer live, and offers printing. Every page works without this file.
document.addEventListener("DOMContentLoaded", () => {
  const offline = document.getElementById("offline");
  const show = (hidden) => () => { offline.hidden = hidden; };
  document.body.addEventListener("htmx:sendError", show(false));
  document.body.addEventListener("htmx:responseError", show(false));
  document.body.addEventListener("htmx:timeout", show(false));
  document.body.addEventListener("htmx:afterOnLoad", show(true));
  // Shown until this runs: the script may be switched off, or may not have arrived.
  for (const note of document.querySelectorAll("[data-static]")) note.hidden = true;
  // A form that somebody is filling in must not be reloaded away.
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (document.querySelector("details.act[open]")) event.detail.parameters.set("busy", "1");
  });
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
});
