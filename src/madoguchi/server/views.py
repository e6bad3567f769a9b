"""Answers that belong to no app."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The form was too old, or came from elsewhere: nothing was changed."""
    sentence = "画面が古くなっていました。何も変えていません。前の画面に戻り、読み直してからもう一度お試しください。"
    return render(request, "office/refused.html", {"sentence": sentence, "code": "CsrfFailure"}, status=403)
