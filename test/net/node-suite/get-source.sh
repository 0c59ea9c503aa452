#!/usr/bin/env bash
# Gets Node's own tests out of the source package `nodejs` of this machine's distribution, into FOLDER.
#   test/net/node-suite/get-source.sh [FOLDER]
# Debian and what comes from it. No root is needed, nothing of the system is changed; nothing is done when they are there.
set -euo pipefail
folder="${1:-${XDG_CACHE_HOME:-$HOME/.cache}/estab/node-source}"
if [ -d "$folder/test/parallel" ]; then exit 0; fi

mkdir -p "$(dirname "$folder")"
work="$(mktemp -d "$folder.XXXXXX")"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial" "$work/extracted"

# the distribution's own entries (either format of apt's), as sources of source packages
release="$(. /etc/os-release && echo "$VERSION_CODENAME")"
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
  grep -qsE "(^|[[:space:]])$release" "$file" || continue
  sed -E 's/^Types:.*/Types: deb-src/; s/^deb[[:space:]]/deb-src /' "$file" >"$work/sources/$(basename "$file")"
done
# a bare sources.list is read like those beside it
[ ! -f "$work/sources/sources.list" ] || mv "$work/sources/sources.list" "$work/sources/main.list"

apt=(apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/sources"
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work" && "${apt[@]}" source --download-only --tar-only nodejs >/dev/null)
tar -C "$work/extracted" --strip-components=1 --anchored --wildcards --no-wildcards-match-slash \
  -xf "$work"/nodejs_*.orig.tar.* \
  '*/src/node_version.h' '*/test/common' '*/test/fixtures' '*/test/parallel'
mv "$work/extracted" "$folder"
