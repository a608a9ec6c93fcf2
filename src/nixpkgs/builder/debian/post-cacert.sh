# The bundle of certificates, which Debian makes when the package is installed. Read by relocate.sh as `postFix`.
mkdir -p etc/ssl/certs
cat share/ca-certificates/mozilla/*.crt > etc/ssl/certs/ca-bundle.crt
ln -s ca-bundle.crt etc/ssl/certs/ca-certificates.crt
rm -rf share bin etc/ca-certificates
[ "$(grep -c BEGIN etc/ssl/certs/ca-bundle.crt)" -gt 50 ]
