# Started beside each cluster, with the cluster's directory. Its input is a pipe from the test process and ends with it,
# however that ended: then whatever still runs is killed and the directory removed.
root=$1
pids=
engine=
containers=
while read -r verb pid container; do
    case $verb in
        started) pids="$pids $pid" ;;
        contained)
            engine=$pid
            case " $containers " in
                *" $container "*) ;;
                *) containers="$containers $container" ;;
            esac
            ;;
        ended)
            left=
            for other in $pids; do
                [ "$other" = "$pid" ] || left="$left $other"
            done
            pids=$left
            ;;
    esac
done
for pid in $pids; do
    kill -9 "$pid" 2>/dev/null
done
for container in $containers; do
    "$engine" rm --force "$container" >/dev/null 2>&1
done
# A dying broker may still write; one that nobody reaps seems to live on, hence the bound.
tries=50
for pid in $pids; do
    while [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
        sleep 0.1
        tries=$((tries - 1))
    done
done
for data in "$root"/broker-*/data; do
    umount -l "$data" 2>/dev/null
done
rm -rf "$root"
