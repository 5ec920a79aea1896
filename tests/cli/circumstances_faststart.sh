#!/usr/bin/env bash
# faststart on terminals, with little of everything, and beside other programs: the original, or the
# result.
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$work"
big_file original 2

# grown FILE: the original, and as many free boxes behind it as FILE has. (An append may come between
# two looks; nothing is lost that FILE has.)
grown() {
  python3 - "$work/original" "$1" "$work/grown" <<'P'
import sys
box = b"\0\0\0\x08free"
original, result = (open(name, "rb").read() for name in sys.argv[1:3])
boxes = 0
while result.endswith(box * (boxes + 1)): boxes += 1
open(sys.argv[3], "wb").write(original + box * boxes)
P
}
fresh() {
  cp "$work/original" video.mp4
  subject=video.mp4
}
# Where the limit hit the way back too, the next run has it.
untouched() {
  if [[ -e .video.mp4.shunt-journal ]]; then "$SHUNT" -q faststart --recover video.mp4 || fail "$what: no recovery"; fi
  grown video.mp4
  cmp -s video.mp4 "$work/grown" || check "$work/grown" video.mp4
}
result() {
  if [[ $circumstance == *replaces* ]] && cmp -s video.mp4 "$work/original"; then return; fi
  grown video.mp4
  check "$work/grown" video.mp4
}
need_command python3
for strategy in auto copy shift; do
  command=(faststart --strategy "$strategy" video.mp4)
  circumstance "by itself" plainly
  ((rc == 0)) || fail "$what: exit $rc: $(said)"
  on_terminals
  within_limits
  beside_others
done

# ---- into another file ----
command=(faststart video.mp4 -o front.mp4)
result() {
  grown front.mp4
  check "$work/grown" front.mp4
}
untouched() { [[ ! -e front.mp4 ]] || fail "$what, exit $rc: there is a result"; }
on_terminals
within_limits
beside_others

# ---- nothing to do ----
command=(faststart front/video.mp4)
"$SHUNT" -q faststart original -o front.mp4
fresh() {
  mkdir front
  cp "$work/front.mp4" front/video.mp4
  subject=front/video.mp4
}
result() { [[ $circumstance == *appends* ]] || same front/video.mp4 "$work/front.mp4" "$what"; }
unset -f untouched
without_writing front
on_terminals
within_limits
circumstance "while another program opens it" beside_one opens
