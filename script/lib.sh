# shellcheck shell=bash disable=SC2034
# Shared by the scripts. Sourced, not run.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV="$ROOT/.venv"
VISIT_USER=madoguchi-visit
AGENT_USER=madoguchi

# Debian package | what will not work without it
INSPECTION_PACKAGES='python3-venv|nothing at all: the Python environment cannot be made
fonts-noto-cjk|Japanese in reports'
SERVER_PACKAGES='python3-venv|nothing at all: the Python environment cannot be made
chromium|visits: no browser to open
bubblewrap|visits in a box: only training without a box is left
xvfb|visits on a machine without a display
fonts-noto-cjk|Japanese on the screens of visits
python3-tk|bar and curtain on a real display: a visit ends at once when its card is removed'
TEST_PACKAGES="$SERVER_PACKAGES
postgresql|tests on PostgreSQL
spin|the model check
gcc|the model check; card readers: pyscard is compiled on the machine that uses it
libc6-dev|the model check; card readers: pyscard is compiled
libpcsclite-dev|card readers: pyscard is compiled
python3-dev|card readers: pyscard is compiled
fcitx5|tests of the input method in a box
fcitx5-mozc|tests of the input method in a box
fcitx5-frontend-gtk3|tests of the input method in a box
dbus|tests of the input method in a box
pcscd|tests of card readers
vsmartcard-vpcd|tests of card readers: no reader for virtual cards
opensc|tests of the virtual card with OpenSC's own tools
openssl|tests of the virtual card: nobody else checks its signatures
poppler-utils|tests of reports: nobody reads the PDF back
openjdk-17-jre-headless|tests of the inspection on Spark"

# The real terminal at a counter: a screen without a desktop, a card reader, one browser.
TERMINAL_PACKAGES='python3-venv|nothing at all: the Python environment cannot be made
python3-tk|the bar and the curtain
systemd|nothing at all: the services cannot be started
dbus|typing Japanese in visits
chromium|visits: no browser to open
chromium-l10n|the browser speaks English
bubblewrap|visits: no box
util-linux|visits: no limits for a box
xserver-xorg-core|the screen
xserver-xorg-input-libinput|keyboard, mouse and finger
x11-xserver-utils|the screen: its size is not known, and it goes dark
fontconfig|Japanese on the screen
fonts-noto-cjk|Japanese on the screen
fonts-morisawa-bizud-gothic|letters that are easy to read
fonts-morisawa-bizud-mincho|letters that are easy to read
fcitx5|typing Japanese in visits
fcitx5-mozc|typing Japanese in visits
fcitx5-frontend-gtk3|typing Japanese in visits
pcscd|the card reader
libccid|the card reader
ca-certificates|the link to the server
gcc|card readers: pyscard is compiled on the machine that uses it
libc6-dev|card readers: pyscard is compiled
libpcsclite-dev|card readers: pyscard is compiled
python3-dev|card readers: pyscard is compiled'

say() { printf '%s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo -n "$@";
  elif command -v sudo >/dev/null && [ -t 0 ]; then sudo "$@"; else return 1; fi
}

missing_packages() {
  local line package
  while IFS= read -r line; do
    package=${line%%|*}
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$line"
  done <<<"$1"
}

apt_install() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; }

install_packages() {
  local lacking names name
  lacking=$(missing_packages "$1")
  [ -z "$lacking" ] && return 0
  names=$(printf '%s\n' "$lacking" | cut -d'|' -f1)
  say "Installing Debian packages: ${names//$'\n'/ }"
  {
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # one word per package
    apt_install $names || for name in $names; do apt_install "$name" || true; done # one that is not to be had stops no other
  } >"$ROOT/var/apt.log" 2>&1 || true
  lacking=$(missing_packages "$1")
  [ -z "$lacking" ] && return 0
  say "Could not install these Debian packages (log: var/apt.log). What will not work:"
  while IFS='|' read -r names what; do say "  $names: $what"; done <<<"$lacking"
}

# vpcd lets whoever reaches its port play a card. The tests run it where nobody does; the machine's own pcscd must not load it.
install_test_packages() {
  local fresh
  fresh=$(missing_packages "vsmartcard-vpcd|")
  install_packages "$TEST_PACKAGES"
  if [ -n "$fresh" ] && [ -s /etc/reader.conf.d/vpcd ]; then
    as_root sh -c ': >/etc/reader.conf.d/vpcd' || say "Please empty /etc/reader.conf.d/vpcd: it opens a port to everybody."
  fi
}

make_user() { # name, what will not work without it
  id "$1" >/dev/null 2>&1 && return 0
  as_root useradd --system --no-create-home --shell /usr/sbin/nologin "$1" 2>/dev/null || say "Could not create the user $1: $2."
}

make_visit_user() { make_user "$VISIT_USER" "started as root, the terminal will refuse visits"; }

make_agent_user() { make_user "$AGENT_USER" "tests of the keeper"; }

make_environment() { # extras…
  local stamp wanted extra flags=()
  for extra in "$@"; do flags+=(--extra "$extra"); done
  stamp="$VENV/.madoguchi"
  wanted=$(cat "$ROOT/pyproject.toml" "$ROOT/uv.lock" | sha256sum | cut -d' ' -f1)
  if [ -f "$stamp" ] && grep -qx "$wanted" "$stamp" && ! lacks_extra "$stamp" "$@"; then return 0; fi
  if ! "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { say "Python 3.11 or newer is needed."; exit 1; }
    python3 -m venv --clear "$VENV" || { say "The Python environment cannot be made: install python3-venv."; exit 1; }
  fi
  "$VENV/bin/uv" --version >/dev/null 2>&1 || "$VENV/bin/python" -m pip install --quiet 'uv>=0.13'
  say "Installing Python packages ($*)"
  (cd "$ROOT" && VIRTUAL_ENV="$VENV" "$VENV/bin/uv" sync --quiet --inexact --locked "${flags[@]}") ||
    { say "Python packages could not be installed; see the lines above."; exit 1; }
  printf '%s\n' "$wanted" "$@" >"$stamp"
}

lacks_extra() { # stamp extras…
  local stamp=$1 extra
  shift
  for extra in "$@"; do grep -qx "$extra" "$stamp" || return 0; done
  return 1
}

compile_names() {
  say "Compiling the kernel of names"
  "$VENV/bin/madoguchi" names compile || { say "The kernel of names could not be compiled; see the lines above."; exit 1; }
}

mkdir -p "$ROOT/var"
