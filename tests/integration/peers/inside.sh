#!/bin/bash
# inside.sh DIR TREE COMMAND...: runs a mail server of Debian's packages unpacked in TREE as if they
# were installed. Called in mount and process namespaces of its own (see peer.py): TREE/usr is laid
# over /usr, DIR/etc over /etc, and DIR/var and DIR/run stand for /var and /run, so nothing of the
# system is touched or used. This shell stays as the first process of the namespace: servers change
# their rights, and with that the kernel forgets that they were to end with their parent.
set -eu
dir=$1 tree=$2
shift 2
mount -t overlay overlay -o "ro,lowerdir=$tree/usr:/usr" /usr
mount -t overlay overlay -o "ro,lowerdir=$dir/etc:/etc" /etc
mount --bind "$dir/var" /var
mount --bind "$dir/run" /run
cd "$dir"
"$@"
exit $?
