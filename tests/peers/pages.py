"""The pages of the made-up site. What is to be clicked fills the whole page: a hand need not know where it lies.

Planted texts begin with the trial's prefix; the letter after it says where they were put (`PLACES`).
"""

PLACES = {
    "c": "cookie",
    "l": "local storage",
    "i": "IndexedDB",
    "s": "cache storage",
    "f": "form field, clipboard",
    "t": "page title",
    "d": "download",
    "p": "page text (print, save)",
}

_HEAD = """<!doctype html><html lang="ja"><head><meta charset="utf-8"><title>{title}</title><style>
html, body, form {{ height: 100%; margin: 0; }}
button, input, a {{ box-sizing: border-box; position: fixed; inset: 0; width: 100%; height: 100%; border: 0;
  font-size: 40px; background: {colour}; display: block; }}
</style></head><body>"""

PLAIN = (
    _HEAD.replace("{title}", "架空の申込")
    + """<button>次へ</button><script>
const tell = (path, body = "") => fetch(path + "?visit={visit}", {{method: "POST", body, keepalive: true}});
new PerformanceObserver((list) => {{
  if (list.getEntriesByName("first-contentful-paint").length) tell("/painted", localStorage.token || "");
}}).observe({{type: "paint", buffered: true}});
document.querySelector("button").onclick = async () => {{
  const token = await (await tell("/clicked")).text();
  if (token) {{ localStorage.token = token; tell("/stored"); }}
}};
</script></body></html>"""
)

_PLANT = """<script>
const tell = (path) => fetch(path + "?visit={visit}", {{method: "POST", keepalive: true}});
const put = (base) => new Promise((done) => {{
  const changed = base.transaction("notes", "readwrite");
  changed.objectStore("notes").put({{text: "{prefix}i"}}, 1);
  changed.oncomplete = done;
}});
addEventListener("load", async () => {{
  localStorage.setItem("note", "{prefix}l");
  sessionStorage.setItem("note", "{prefix}l");
  const opening = indexedDB.open("notes", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("notes");
  await new Promise((done) => {{ opening.onsuccess = done; }});
  await put(opening.result);
  const cache = await caches.open("notes");
  await cache.put("/note", new Response("{prefix}s"));
  tell("/planted");
}});
</script>"""

LINK = (
    _HEAD.format(title="架空の控え", colour="#ffffff").replace("{", "{{").replace("}", "}}")
    + """<a href="/file.bin" download="{prefix}d.bin">{prefix}p 控えを保存する</a><script>
document.querySelector("a").addEventListener("click", () =>
  fetch("/pressed?visit={visit}", {{method: "POST", keepalive: true}}));
</script></body></html>"""
)


def field_page(name: str, label: str, visit: int, *, title: str = "架空の申込", more: str = "") -> str:
    """One field that fills the page; Enter sends it to `/NAME`."""
    return (
        _HEAD.format(title=title, colour="#ffffff")
        + f'<form method="post" action="/{name}?visit={visit}" accept-charset="utf-8">'
        + f'<input name="{name}" autocomplete="on" aria-label="{label}" autofocus></form>{more}</body></html>'
    )


def planting_page(prefix: str, visit: int) -> str:
    """A page that stores a text everywhere it can, then asks for another."""
    return field_page("typed", "名前", visit, more=_PLANT.format(prefix=prefix, visit=visit))
