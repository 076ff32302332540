#!/bin/busybox sh
# The first and only program of a guest: it mounts what the agent reads, and starts it.
bb=/bin/busybox
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs dev /dev
$bb mount -t securityfs securityfs /sys/kernel/security
for module in /modules/*.ko; do
    $bb insmod "$module" || echo "lab: $module cannot be loaded"
done
[ -d /sys/firmware/efi/efivars ] && $bb mount -t efivarfs efivarfs /sys/firmware/efi/efivars
# The disk for the agent's state is the one without a partition table.
for disk in /dev/vd?; do
    $bb mount -t ext4 "$disk" /state 2>/dev/null && break
done
. /state/join.env
$bb hostname "$LAB_NAME"
export BOOTPROOF_AGENT_STATE=/state/agent BOOTPROOF_JOIN_TOKEN
echo "lab: guest is up after $($bb cut -d' ' -f1 /proc/uptime) s"
(
    [ -f /state/agent/state.json ] ||
        /bin/bootproof-agent join "$LAB_SERVER" --ca-sha256 "$LAB_PIN" --name "$LAB_NAME" --wait ||
        echo "lab: the host cannot join"
    while true; do
        /bin/bootproof-agent run
        echo "lab: the agent ended with $?"
        $bb sleep 1
    done
) &
$bb ip link set lo up
$bb ip addr add 10.0.2.15/24 dev eth0
$bb ip link set eth0 up
if [ -d /state/doctor ]; then
    # Linked with the libraries that lie beside it: the guest has no others.
    cd /state/doctor || exit
    ./ld-linux-x86-64.so.2 --library-path . ./bootproof doctor --json \
        --ek-root root.pem --ek-root issuer.pem >/tmp/doctor.json 2>/tmp/doctor.err
    ended=$?
    # A line at a time: others write to the console as well.
    while read -r line; do
        echo "doctor: $line"
    done </tmp/doctor.json
    while read -r line; do
        echo "lab: doctor: $line"
    done </tmp/doctor.err
    echo "lab: the doctor ended with $ended"
fi
while true; do
    $bb sleep 3600
done
