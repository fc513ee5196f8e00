#!/bin/sh
# First process of berth/hello: a small page about this instance on port 8080, one log line per request.
# Everything it writes lies in /dev/shm, so it also runs where the file system is read-only.
set -eu
www=/dev/shm/www
version=${HELLO_VERSION:-0}
mood=${HELLO_MOOD:-well}
host=$(hostname)

say() {
    echo "hello $version on $host: $*"
}

say "starting as user $(id -u)"
if [ "$mood" = crash ]; then
    say "reading settings"
    say "cannot open /data/settings.json: no such file"
    say "fatal: giving up"
    exit 1
fi

mkdir -p "$www"
sed -e "s/@VERSION@/$version/g" -e "s/@HOST@/$host/g" -e "s/@COLOUR@/${HELLO_COLOUR:-#334155}/g" \
    /usr/share/hello/page.html > "$www/index.html"
echo "hello $version $host" > "$www/whoami"
if [ "$mood" = unhealthy ]; then
    rm -f "$www/healthz"
    end=143 # Swarm may take one that is told to stop before it was ready, and ends with 0, for one that was
    say "cannot reach the database at db.internal:5432: connection refused"
    say "not ready, so /healthz answers 404 until the database is there"
else
    echo ok > "$www/healthz"
    end=0
fi

trap 'say "stopping"; exit "$end"' TERM INT
say "listening on port 8080"
busybox httpd -f -vv -p 8080 -h "$www" 2>&1 | busybox awk -v mood="$mood" -f /usr/share/hello/log.awk &
wait $!
say "the web server ended by itself"
exit 1
