"""Ending what a console has started, for engines that do not end a process when its connection closes."""

# Only words a shell has itself: an image may hold nothing else. First those with the token, and what shares a session
# with them, are told to hang up; whoever is still there after a moment is killed. It runs as the image's own user: not
# even root may read the environment of another user's process without a capability that instances do not get.
HUNT = """
mine() {
  sessions=' '; found=''
  for d in /proc/[0-9]*; do
    p=${d#/proc/}; [ "$p" = $$ ] && continue
    while IFS= read -r e || [ -n "$e" ]; do
      case $e in *"$1"*) found="$found $p"; session "$p" && sessions="$sessions$s "; break;; esac
      e=''
    done 2>/dev/null < "$d/environ"
  done
  for d in /proc/[0-9]*; do
    p=${d#/proc/}; [ "$p" = $$ ] && continue
    session "$p" && case $sessions in *" $s "*) found="$found $p";; esac
  done
}
session() { s=''; read -r l 2>/dev/null < "/proc/$1/stat" || return 1; set -- ${l##*) }; [ "$1" != Z ] && s=$4; }
mine "$1"; [ -n "$found" ] || exit 0
kill -HUP $found 2>/dev/null; kill -CONT $found 2>/dev/null
sleep 0.3 2>/dev/null || sleep 1
mine "$1"; [ -n "$found" ] && kill -KILL $found 2>/dev/null
exit 0
"""
