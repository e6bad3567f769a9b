"""Pages as a person uses them: read, fill in, press. Without a browser (`FormPages`) or in a real one (`chromium`)."""

from typing import Protocol, cast

import httpx
from lxml import html
from lxml.html import FormElement, HtmlElement

from madoguchi.replay.errors import PageUnlike

_TIMEOUT = 10.0


class Pages(Protocol):
    """One window on one browser."""

    def go(self, url: str) -> None:
        """Open an address."""
        ...

    def has(self, element_id: str) -> bool:
        """Whether the page that stands has this element."""
        ...

    def text(self, element_id: str) -> str:
        """Text of one element; empty if it is not there."""
        ...

    def fill(self, name: str, value: str) -> None:
        """Type into a field, or choose an option, by the field's name. Raises `PageUnlike`."""
        ...

    def press(self, element_id: str) -> None:
        """Press a button or follow a link and wait for the next page. Raises `PageUnlike`."""
        ...

    def close(self) -> None:
        """Close the browser."""
        ...


class FormPages:
    """A user agent for pages whose forms work without JavaScript: cookies, redirects, forms. No sockets needed."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._client = httpx.Client(transport=transport, follow_redirects=True, timeout=_TIMEOUT)
        self._page: HtmlElement | None = None

    def go(self, url: str) -> None:
        """Open an address."""
        self._stand_on(self._client.get(url))

    def has(self, element_id: str) -> bool:
        """Whether the page that stands has this element."""
        return self._page is not None and self._page.get_element_by_id(element_id, None) is not None

    def text(self, element_id: str) -> str:
        """Text of one element; empty if it is not there."""
        if not self.has(element_id):
            return ""
        return " ".join(self._element(element_id).text_content().split())

    def fill(self, name: str, value: str) -> None:
        """Type into a field, or choose an option."""
        for form in self._whole().forms:
            if name in form.fields:
                _set(form, name, value)
                return
        raise PageUnlike(f"no field {name} on {self._whole().base_url}")

    def press(self, element_id: str) -> None:
        """Press a button or follow a link."""
        element = self._element(element_id)
        if element.tag == "a":
            self.go(_absolute(self._whole(), element.get("href") or ""))
            return
        form = next((parent for parent in element.iterancestors("form")), None)
        if form is None:
            raise PageUnlike(f"{element_id} stands in no form")
        self._submit(cast(FormElement, form), element)

    def close(self) -> None:
        """Throw the cookies away."""
        self._client.close()

    def _submit(self, form: FormElement, button: HtmlElement) -> None:
        values = dict(form.form_values())
        if button.get("name"):
            values[str(button.get("name"))] = str(button.get("value") or "")
        action = _absolute(self._whole(), form.action or "")
        if form.method == "GET":
            self._stand_on(self._client.get(action, params=values))
        else:
            self._stand_on(self._client.post(action, data=values, headers={"Origin": _origin(action)}))

    def _stand_on(self, answer: httpx.Response) -> None:
        self._page = html.document_fromstring(answer.text, base_url=str(answer.url))

    def _whole(self) -> HtmlElement:
        if self._page is None:
            raise PageUnlike("no page stands")
        return self._page

    def _element(self, element_id: str) -> HtmlElement:
        found = self._whole().get_element_by_id(element_id, None)
        if found is None:
            raise PageUnlike(f"no element {element_id} on {self._whole().base_url}")
        return cast(HtmlElement, found)


def _set(form: FormElement, name: str, value: str) -> None:
    box = next((box for box in form.xpath(".//input[@type='checkbox']") if box.get("name") == name), None)
    try:
        if box is not None:
            box.checked = box.get("value") == value
        else:
            form.fields[name] = value
    except (ValueError, TypeError) as error:
        raise PageUnlike(f"{name} does not take {value!r}: {error}") from error


def _absolute(page: HtmlElement, address: str) -> str:
    return str(httpx.URL(str(page.base_url)).join(address))


def _origin(url: str) -> str:
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}"
