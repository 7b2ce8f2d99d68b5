#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs suites (make targets) one after the other, all of them whatever happens,
# and ends with "N passed, N failed".   Use: all_tests.sh RESULTS SUITE...
# A suite that could not be built or run counts as one failure.  With T set,
# suites that have no such test are left out, but one must have it.
set -u

results=$1
shift
export ALL_TESTS=1
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0
broken=
for suite in "$@"; do
    echo "== $suite"
    start=$(date +%s)
    suite_failed=0
    "${MAKE:-make}" "$suite" 2>&1
    status=$?
    if [ -f "$results/$suite" ]; then
        read -r suite_passed suite_failed <"$results/$suite"
        passed=$((passed + suite_passed))
        failed=$((failed + suite_failed))
        [ "$suite_failed" -eq 0 ] || broken="$broken $suite"
    fi
    if [ $status -ne 0 ] && [ "$suite_failed" -eq 0 ]; then
        failed=$((failed + 1))
        broken="$broken $suite (did not run)"
    fi
    echo "== $suite: $(($(date +%s) - start)) s"
done
[ -z "$broken" ] || echo "failed:$broken"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
