"""A thin HTTP shell over the simulated systems: Japanese pages whose forms work without JavaScript.

Names that programs which click through the pages may rely on, on every page:

- `<main id="page-NAME">`: which page this is; each module here lists its pages, fields (`name`) and buttons (`id`).
- `#who`: the name of the person logged in, where it is shown.
- `#page-refused` with `#reason` (code), `#sentence` (Japanese) and the links `#back`, `#logout`: a refusal.
- `#logout` (link to `/logout`): logs out; `#page-logged-out` proves it on the screen.
"""
