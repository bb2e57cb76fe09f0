#!/bin/bash
# The unit, sysusers and tmpfiles files are what systemd's own checkers call correct. Speaks TAP.
# usage: verify.sh BUILD-UNITS-FOLDER SOURCE-UNITS-FOLDER PREFIX-BINDIR LIBEXECDIR
set -uo pipefail
built=$1 source=$2 bindir=$3 libexecdir=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 1..5
number=0
check() {
  local name=$1 output
  shift
  number=$((number + 1))
  if output=$("$@" 2>&1); then echo "ok $number $name"; else echo "not ok $number $name"; sed 's/^/# /' <<<"$output"; fi
}

# Stand-ins for the programs, since nothing is installed while this runs.
mkdir -p "$work/programs" "$work/units"
for unit in "$built"/*.service "$built"/*.socket; do
  sed "s|=$libexecdir/|=$work/programs/|; s|=$bindir/|=$work/programs/|" "$unit" >"$work/units/${unit##*/}"
done
grep -hoE "=$work/programs/[a-z-]+" "$work"/units/* | cut -d= -f2 | sort -u | while read -r program; do
  ln -s /bin/true "$program"
done
for unit in "$work"/units/*@.service; do mv "$unit" "${unit/@./@web.}"; done

verify() {
  local said
  said=$(systemd-analyze verify --man=no --recursive-errors=one "$work"/units/*.service "$work"/units/*.socket 2>&1) && [[ -z $said ]] ||
    { echo "$said"; return 1; }
}
exposure() {  # no worse than the given limit, in tenths
  systemd-analyze security --offline=yes --no-pager --threshold="$2" "$built/$1" | tail -1
}
sysusers() {
  mkdir -p "$work/root/etc" && systemd-sysusers --root="$work/root" "$source/berth.sysusers.conf" &&
    grep -q '^berth-rest:' "$work/root/etc/passwd" && grep -q '^berth:' "$work/root/etc/group" &&
    grep -q '^berth-admin:' "$work/root/etc/group"
}
tmpfiles() {
  printf 'root:x:0:0::/root:/bin/sh\n' >"$work/root/etc/passwd"
  printf 'root:x:0:\n' >"$work/root/etc/group"
  systemd-tmpfiles --root="$work/root" --create "$source/berth.tmpfiles.conf" &&
    [[ $(stat -c %a "$work/root/var/lib/berth") == 700 && $(stat -c %a "$work/root/run/berth") == 755 ]]
}
check "systemd-analyze verify has nothing to say about the units" verify
check "the bridge's sandbox is rated safe" exposure berth-rest.service 10
check "berthd's exposure is not above 6.5" exposure berthd.service 65
check "systemd-sysusers makes the user and both groups" sysusers
check "systemd-tmpfiles makes the folders with their modes" tmpfiles
