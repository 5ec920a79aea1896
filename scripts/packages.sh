# shellcheck shell=bash
# The Debian 12 packages that shunt needs, by purpose, and how to get them. To be sourced.

# packages_for PURPOSE: one name on each line.
packages_for() {
  case $1 in
    build)
      printf '%s\n' g++ cmake ninja-build pkg-config \
        libcli11-dev libspdlog-dev libfmt-dev libexpected-dev nlohmann-json3-dev libtoml11-dev \
        libavformat-dev libavcodec-dev libavutil-dev zlib1g-dev libxxhash-dev \
        libcurl4-openssl-dev libssl-dev
      ;;
    demo) printf '%s\n' ffmpeg ;;
    test)
      # Frameworks, then what makes files and file systems, then what looks at the result.
      printf '%s\n' catch2 librapidcheck-dev \
        ffmpeg python3 python3-jsonschema e2fsprogs xfsprogs btrfs-progs mount util-linux util-linux-extra bsdutils acl attr \
        jq strace time curl hyperfine mandoc zsh bash-completion
      # nbdkit, which loads our plugin; programs that write disks over NBD, and what becomes of the
      # disks.
      printf '%s\n' nbdkit nbdkit-plugin-dev libnbd-bin qemu-utils parted dosfstools mtools fuse3 zstd
      # Servers, and what fills them.
      printf '%s\n' nginx-light docker-registry skopeo buildah openssl
      # The preset `test` builds the micro-benchmarks, so that they cannot rot.
      printf '%s\n' libbenchmark-dev
      ;;
    fuzz) printf '%s\n' clang libclang-rt-14-dev ;;
    bench)
      printf '%s\n' catch2 librapidcheck-dev libbenchmark-dev \
        ffmpeg python3 e2fsprogs xfsprogs mount util-linux util-linux-extra bsdutils bsdextrautils jq time curl hyperfine aria2 nginx-light docker-registry skopeo buildah openssl \
        nbdkit nbdkit-plugin-dev libnbd-bin qemu-utils parted fuse3
      ;;
    lint) printf '%s\n' clang-format-14 clang-tidy-14 shellcheck git ;;
    *)
      echo "packages_for: no such purpose: $1" >&2
      return 1
      ;;
  esac
}

# missing_packages NAME...: those of them that are not installed.
missing_packages() {
  local installed
  # dpkg-query fails when it does not know one of the names, and still lists the others.
  # shellcheck disable=SC2016  # the dollars are dpkg-query's
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p' | sort -u) || true
  printf '%s\n' "$@" | sort -u | comm -23 - <(printf '%s\n' "$installed")
}

# as_root COMMAND...: runs it as root, directly or through sudo.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

apt_get() {
  # Retries and the wait for the lock: a fresh machine often has its own updates under way.
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

# install_packages PURPOSE...: installs what is missing. When nothing is, it needs neither the
# network nor root.
install_packages() {
  local purpose wanted=() missing
  for purpose in "$@"; do
    # shellcheck disable=SC2207  # package names hold no blanks
    wanted+=($(packages_for "$purpose"))
  done
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "Not a Debian system. These packages of Debian 12, or what they are called here, must be" \
      "there: ${wanted[*]}" >&2
    return 0
  fi

  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0

  if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
    echo "Packages are missing, and this is neither root nor is there sudo. As root, run:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    return 1
  fi
  echo "Installing ${#missing[@]} packages: ${missing[*]}"
  apt_get update &&
    apt_get install -y --no-install-recommends "${missing[@]}" >/dev/null
}
