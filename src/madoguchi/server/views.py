"""Answers that belong to no app."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from madoguchi.server.errors import MalformedRequest

_API = "/api/"


def _refused(request: HttpRequest, sentence: str, code: str, status: int) -> HttpResponse:
    if request.path.startswith(_API):
        return JsonResponse({"reason": code, "sentence": sentence}, status=status)
    return render(request, "office/refused.html", {"sentence": sentence, "code": code}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The form was too old, or came from elsewhere: nothing was changed."""
    sentence = "画面が古くなっていました。何も変えていません。前の画面に戻り、読み直してからもう一度お試しください。"
    return _refused(request, sentence, "CsrfFailure", 403)


def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - see above
    """400 from outside our views: too large, or not of a form that Django reads."""
    return _refused(
        request, "送られた内容を読み取れません。前の画面に戻り、もう一度お試しください。", "Unreadable", 400
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - see above
    """403 from outside our views."""
    return _refused(request, "この操作をする権限がありません。担当の人に頼んでください。", "Forbidden", 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - see above
    """404: no such page, or a thing that does not exist for this person."""
    if request.path.startswith(_API):
        return _refused(request, MalformedRequest.sentence, "NoSuchCall", 404)
    return _refused(request, "見つかりませんでした。自分の拠点の画面から開き直してください。", "NotFound", 404)


def broken(request: HttpRequest) -> HttpResponse:
    """500: without context, so that nothing can fail again."""
    sentence = "サーバーで問題が起きました。少し待ってもう一度お試しください。続くときは、市職員に知らせてください。"
    if request.path.startswith(_API):
        return JsonResponse({"reason": "ServerBroken", "sentence": sentence}, status=500)
    return HttpResponse(render_to_string("office/broken.html", {"sentence": sentence}), status=500)
