# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Virtual machines for tests, beside lab.sh: a Linux kernel of Debian's under
# QEMU, with one network card and a shell on its serial line.
#
# HNV_GUEST_KERNEL is the unpacked package of that kernel ("./bootstrap check"
# sets it).

guest_needs()
{
	lab_needs qemu-system-x86_64 cpio "$@"
	[ -x /bin/busybox ] || { echo "SKIP: no busybox"; exit 77; }
	guest_kernel=$(echo "${HNV_GUEST_KERNEL:-}"/boot/vmlinuz-*)
	[ -f "$guest_kernel" ] || { echo "SKIP: no kernel for guests"; exit 77; }
}

# What the kernel starts: it reads commands from the serial line, and ends each
# one's output by a line with its status.
guest_image()
{
	local root=$lab_dir/guest name
	local modules="virtio_ring virtio virtio_pci_legacy_dev
		virtio_pci_modern_dev virtio_pci failover net_failover
		virtio_net"

	mkdir -p "$root"/{bin,lib,proc,sys,dev}
	cp /bin/busybox "$root/bin"
	for name in $modules; do
		find "$HNV_GUEST_KERNEL/lib/modules" -name "$name.ko" \
			-exec cp {} "$root/lib" \;
	done
	cat >"$root/init" <<END
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for name in $(echo $modules); do
	[ ! -f /lib/\$name.ko ] || insmod /lib/\$name.ko
done
ip link set lo up
stty -F /dev/ttyS0 raw -echo
exec </dev/ttyS0 >/dev/ttyS0 2>&1
echo "status 0"
while read -r line; do
	sh -c "\$line"
	echo "status \$?"
done
END
	chmod +x "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) \
		>"$lab_dir/initrd"
}

# guest_start GUEST HOST TAP MAC: the host's end of its card is TAP, which QEMU
# makes.
guest_start()
{
	local serial=$lab_dir/$1.serial

	rm -f "$serial".*
	mkfifo "$serial.in" "$serial.out"
	# For reading and writing, so that it waits for nobody.
	exec {guest_says}<>"$serial.out"
	lab_run "$2" "$1" qemu-system-x86_64 -M q35 -accel tcg -m 128 \
		-nodefaults -no-reboot -display none \
		-kernel "$guest_kernel" -initrd "$lab_dir/initrd" \
		-append "console=ttyS1 quiet panic=-1" \
		-chardev "pipe,id=s,path=$serial" -serial chardev:s \
		-netdev "tap,id=n,ifname=$3,script=no,downscript=no" \
		-device "virtio-net-pci,netdev=n,mac=$4,romfile="
}

# Waits until the guest that was started last takes commands.
guest_ready()
{
	guest_hear "${1:-60}"
}

# guest_do GUEST COMMAND...: in the guest that was started last; a line.
guest_do()
{
	local guest=$1

	shift
	printf '%s\n' "$*" >"$lab_dir/$guest.serial.in"
	guest_hear 30
}

# guest_hear SECONDS: what it prints, up to the end of a command; returns how
# that ended.
guest_hear()
{
	local line

	while read -r -t "$1" line <&"$guest_says"; do
		case $line in
		"status "*) return "${line#status }" ;;
		esac
		printf '%s\n' "$line"
	done
	echo "the guest says nothing for $1 seconds"
	return 1
}
