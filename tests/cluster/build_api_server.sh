#!/usr/bin/env bash
# Builds kube-apiserver from Debian's source package and unpacks etcd beside it, once.
#
#   tests/cluster/build_api_server.sh FOLDER
#
# Needs a Debian 12 machine with its package archive, dpkg-dev, make and git; no root, since
# nothing is installed: packages are unpacked below FOLDER. Takes some minutes, once.
set -euo pipefail

VERSION=1.20.2
SUITE=bookworm
PACKAGES=(golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
  etcd-server rsync libpopt0)

folder=$(realpath -m "${1:?usage: build_api_server.sh FOLDER}")
work=$folder/build
root=$work/root

for program in apt-get dpkg-source make git; do
  command -v "$program" >/dev/null || {
    echo "$program: is not installed. Install it, or set KUBEBUILDER_ASSETS to a folder with" \
      "kube-apiserver and etcd" >&2
    exit 1
  }
done

# The machine's own list of packages stays as it is: this one asks for sources as well.
archive() {
  apt-get --quiet --quiet -o Dir::Etc::sourcelist="$work/sources.list" \
    -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$work/apt" -o Dir::Cache="$work/apt" \
    -o Dir::State::status=/var/lib/dpkg/status -o APT::Sandbox::User="$(id -un)" "$@"
}

mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/packages" "$root"
cat >"$work/sources.list" <<SOURCES
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $SUITE main
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $SUITE main
SOURCES

echo 'Fetching the compiler, etcd and the sources'
archive update
(cd "$work/packages" && archive download "${PACKAGES[@]}")
for package in "$work"/packages/*.deb; do dpkg-deb --extract "$package" "$root"; done
if [ ! -d "$work/kubernetes" ]; then
  (cd "$work/packages" && archive --download-only source kubernetes)
  dpkg-source --no-check --extract "$work"/packages/kubernetes_*"$VERSION"*.dsc "$work/kubernetes"
fi

# The vendored reflect2 crashes when it is built with Go 1.18 or later.
reflect2=vendor/github.com/modern-go/reflect2
rm -rf "${work:?}/kubernetes/$reflect2"
cp -r "$root/usr/share/gocode/src/github.com/modern-go/reflect2" "$work/kubernetes/$reflect2"

echo 'Building kube-apiserver'
cd "$work/kubernetes"
# Kubernetes' makefiles look for the top of a repository.
[ -d .git ] || git init --quiet
export GOROOT=$root/usr/lib/go-1.19 GOCACHE=$work/go-cache
export PATH=$GOROOT/bin:$root/usr/bin:$PATH LD_LIBRARY_PATH=$root/usr/lib/$(uname -m)-linux-gnu
export KUBE_GIT_VERSION=v$VERSION KUBE_GIT_MAJOR=1 KUBE_GIT_MINOR=20 KUBE_GIT_COMMIT=x
export KUBE_GIT_TREE_STATE=clean
make all WHAT=cmd/kube-apiserver

install -D "$work/kubernetes/_output/bin/kube-apiserver" "$folder/bin/kube-apiserver"
install -D "$root/usr/bin/etcd" "$folder/bin/etcd"
chmod -R u+w "$work"
rm -rf "$work"
echo "$folder/bin"
