# busybox httpd writes "ADDRESS:PORT: url:PATH", then "ADDRESS:PORT: response:STATUS"; this makes one line of the two.
{
    peer = $1
    address = peer
    sub(/:$/, "", address)
    sub(/:[0-9]+$/, "", address)
    gsub(/^\[|\]$/, "", address)
    sub(/^::ffff:/, "", address)
}
match($0, / url:/) {
    path[peer] = substr($0, RSTART + 5)
    next
}
match($0, / response:/) {
    asked = (peer in path) ? path[peer] : "?"
    status = substr($0, RSTART + 10)
    delete path[peer]
    if (asked == "/healthz" && status == 200 && address == "127.0.0.1") next  # the health check, every two seconds
    why = (mood == "unhealthy" && asked == "/healthz") ? " (the database does not answer)" : ""
    print "request from " address ": " asked " " status why
    fflush()
    next
}
{
    print
    fflush()
}
