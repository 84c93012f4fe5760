#!/bin/sh
# What the lab needs beyond Go, from the distribution's packages. Installs only
# what is missing, and only as root; without root it says what is missing.
#
#	install.sh         for the demo
#	install.sh test    and the tests' oracles
set -eu

# command=package
wanted="java=default-jdk-headless mvn=maven mkfs.ext4=e2fsprogs"
PATH=$PATH:/usr/sbin:/sbin
packages=
if [ "${1:-}" = test ]; then
	wanted="$wanted python3=python3 pip3=python3-pip tshark=tshark bpftrace=bpftrace clang=clang llvm-strip=llvm mkfs.xfs=xfsprogs prometheus=prometheus chromium=chromium"
	[ -e /usr/include/bpf/bpf_helpers.h ] || packages=" libbpf-dev"
fi
for pair in $wanted; do
	command -v "${pair%%=*}" >/dev/null 2>&1 || packages="$packages ${pair#*=}"
done
[ -n "$packages" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "missing:$packages (install them, or run this as root on Debian or Ubuntu)" >&2
	exit 1
fi
echo "installing:$packages"
export DEBIAN_FRONTEND=noninteractive
# What is a service, too (prometheus), is here to be run by tests alone: it is
# neither started now nor at the next boot.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap 'rm -f $policy' EXIT
	trap 'exit 1' INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
fi
apt-get update -q | sed -n 's/^Fetched/  fetched lists:/p'
# shellcheck disable=SC2086
apt-get install -q -y --no-install-recommends $packages | sed -n -e 's/^Setting up /  /p' -e '/^E:/p'
case "$packages" in
*" prometheus"*) ! command -v systemctl >/dev/null 2>&1 || systemctl disable -q prometheus 2>/dev/null || true ;;
esac
for pair in $wanted; do
	command -v "${pair%%=*}" >/dev/null 2>&1 || { echo "still missing: ${pair#*=}" >&2; exit 1; }
done
