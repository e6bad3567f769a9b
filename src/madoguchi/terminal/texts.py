"""Every sentence the terminal shows, in one place. Errors carry their own sentence."""

IDLE_WARNING = "操作がありません。続けるときは、画面にさわってください。まもなく終了します。"
BIND_REFUSED = "このカードでは始められません。係員に知らせてください。"
