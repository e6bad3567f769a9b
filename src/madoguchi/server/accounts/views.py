"""Login, password, staff."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def locked_out(request: HttpRequest, *_args: object, **_kwargs: object) -> HttpResponse:
    """Too many wrong passwords."""
    sentence = "ログインに続けて失敗したため、しばらく使えません。15分待ってから、もう一度お試しください。"
    return render(request, "office/refused.html", {"sentence": sentence, "code": "LockedOut"}, status=429)
