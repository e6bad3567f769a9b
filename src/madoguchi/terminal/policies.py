"""Managed policies of one visit's browser: where it may go, and that it keeps, offers and sends nothing.

They are written anew for every visit and bound read-only into the box, where the browser's user cannot change them.
`URLBlocklist: ["*"]` alone leaves the browser's own pages open, so those are named. The blocklist governs navigation
only; what scripts may reach is `egress`'s business, by the same places.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from madoguchi.protocol import Procedure
from madoguchi.terminal.boxconfig import START

_OWN_PAGES = (
    "chrome://*",
    "chrome-untrusted://*",
    "chrome-extension://*",
    "chrome-search://*",
    "devtools://*",
    "file://*",
    "filesystem:*",
    "view-source:*",
    "data:*",
    "javascript://*",
)

_NO = 2
"""Chromium's value for "block" in the Default…Setting policies."""

_FIXED: Mapping[str, Any] = {
    # kept nowhere
    "DownloadRestrictions": 3,
    "AllowFileSelectionDialogs": False,
    "PrintingEnabled": False,
    "AutofillAddressEnabled": False,
    "AutofillCreditCardEnabled": False,
    "PasswordManagerEnabled": False,
    "PaymentMethodQueryEnabled": False,
    "EditBookmarksEnabled": False,
    "BookmarkBarEnabled": False,
    # no second browser beside the visit's
    "ExtensionInstallBlocklist": ["*"],
    "IncognitoModeAvailability": 1,
    "BrowserGuestModeEnabled": False,
    "BrowserAddPersonEnabled": False,
    "BrowserSignin": 0,
    "SyncDisabled": True,
    "BackgroundModeEnabled": False,
    "TaskManagerEndProcessEnabled": False,
    "EnableMediaRouter": False,
    # nothing that asks the citizen or sends text elsewhere
    "FullscreenAllowed": False,
    "CommandLineFlagSecurityWarningsEnabled": False,
    "TranslateEnabled": False,
    "DefaultBrowserSettingEnabled": False,
    "PromotionsEnabled": False,
    "UserFeedbackAllowed": False,
    "MetricsReportingEnabled": False,
    "SearchSuggestEnabled": False,
    "SpellCheckServiceEnabled": False,
    "AlternateErrorPagesEnabled": False,
    "LensRegionSearchEnabled": False,
    "SafeBrowsingProtectionLevel": 0,
    "ComponentUpdatesEnabled": False,
    "NetworkPredictionOptions": 2,
    "QuicAllowed": False,
    "WebRtcIPHandling": "disable_non_proxied_udp",
    "DnsOverHttpsMode": "off",
    "HttpsUpgradesEnabled": False,
    # no devices
    "AudioCaptureAllowed": False,
    "VideoCaptureAllowed": False,
    "ScreenCaptureAllowed": False,
    "DefaultGeolocationSetting": _NO,
    "DefaultNotificationsSetting": _NO,
    "DefaultWebBluetoothGuardSetting": _NO,
    "DefaultWebUsbGuardSetting": _NO,
    "DefaultSerialGuardSetting": _NO,
    "DefaultWebHidGuardSetting": _NO,
    "DefaultFileSystemReadGuardSetting": _NO,
    "DefaultFileSystemWriteGuardSetting": _NO,
}


def policies_for(procedure: Procedure, *, card_client: str | None, inspectable: bool) -> dict[str, Any]:
    """Compose the managed policies of one visit.

    `inspectable` lets the agent see and drive pages (training relay); otherwise developer tools are off for everyone.
    """
    return {
        **_FIXED,
        "URLBlocklist": ["*", *_OWN_PAGES],
        "URLAllowlist": [START, *reachable(procedure, card_client=card_client)],
        "DeveloperToolsAvailability": 1 if inspectable else 2,
    }


def reachable(procedure: Procedure, *, card_client: str | None) -> tuple[str, ...]:
    """Where the visit may go: the procedure's places, its two prepared addresses, the card client; no doubles."""
    prepared = (procedure.start_url, procedure.logout_url, card_client)
    return tuple(dict.fromkeys((*procedure.allowed, *(_origin(url) for url in prepared if url))))


def write_policies(directory: Path, policies: Mapping[str, Any]) -> None:
    """Write them as Chromium reads them: `managed/visit.json`, readable by the browser's user."""
    managed = directory / "managed"
    managed.mkdir()
    managed.chmod(0o755)
    file = managed / "visit.json"
    file.write_text(json.dumps(policies, ensure_ascii=False), encoding="utf-8")
    file.chmod(0o644)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
