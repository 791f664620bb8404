#!/usr/bin/env bash
# Make a checkout ready for `manage.py runserver`: migrations, a superuser, and this service's OAuth clients.
# It may run any number of times; what is right already stays as it is.
#
#   DJANGO_SUPERUSER_USERNAME, DJANGO_SUPERUSER_PASSWORD, DJANGO_SUPERUSER_EMAIL
#       the superuser, made only while there is none (default: admin, admin, admin@localhost)
#   LMS_MANAGE
#       how to run the LMS's manage.py, e.g. "tutor local exec lms ./manage.py lms". Without it a running container
#       of an Open edX devstack or of Tutor is looked for with docker.
#   LMS_SSO_SECRET
#       the secret of the client for log-in (default: commerce-coordinator-sso-secret)
#
# The other client's id and secret are the settings CC_LMS_CLIENT_ID and CC_LMS_CLIENT_SECRET.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

export DJANGO_SUPERUSER_USERNAME=${DJANGO_SUPERUSER_USERNAME:-admin}
export DJANGO_SUPERUSER_PASSWORD=${DJANGO_SUPERUSER_PASSWORD:-admin}
export DJANGO_SUPERUSER_EMAIL=${DJANGO_SUPERUSER_EMAIL:-admin@localhost}
sso_client=commerce-coordinator-sso
sso_secret=${LMS_SSO_SECRET:-commerce-coordinator-sso-secret}
lms_user=commerce_coordinator_worker
client_secret= # told by the settings, below

say() { printf '%s\n' "$*"; }

die() {
    printf 'local-provision-commerce-coordinator.sh: %s\n' "$*" >&2
    exit 1
}

# The last line that a command printed, without our secrets.
last_line() {
    local text
    text=$(grep -v '^[[:space:]]*$' | tail -n 1) || true
    text=${text//"$sso_secret"/...}
    [ -z "$client_secret" ] || text=${text//"$client_secret"/...}
    printf '%s' "${text:-it printed nothing}"
}

# Run a command silently (the LMS's commands print secrets), or die with what it said last.
must() { # what is being done, command ...
    local doing=$1 output
    shift
    output=$("$@" </dev/null 2>&1) || die "$doing failed: $(last_line <<<"$output")"
}

if [ -x .venv/bin/python ]; then python=.venv/bin/python; else python=python3; fi
command -v "$python" >/dev/null || die "There is no python3 here. Install Python 3.11 or newer."
"$python" -c 'import django' 2>/dev/null || die "$python has no Django. Run 'make requirements' first."

# ---- Is there an LMS? -------------------------------------------------------------------------------------------

# Runs inside the LMS's container, whose layout is the devstack's or Tutor's.
in_container='
if [ -r /edx/app/edxapp/edxapp_env ]; then . /edx/app/edxapp/edxapp_env; fi
for folder in /openedx/edx-platform /edx/app/edxapp/edx-platform; do
    if [ -e "$folder/manage.py" ]; then cd "$folder" && exec python manage.py lms "$@"; fi
done
echo "The container has no edx-platform." >&2
exit 1'

lms=()
lms_name=
if [ -n "${LMS_MANAGE:-}" ]; then
    read -ra lms <<<"$LMS_MANAGE"
    command -v "${lms[0]:-}" >/dev/null || die "LMS_MANAGE begins with '${lms[0]:-}', which is no command here."
    lms_name="the LMS behind LMS_MANAGE"
elif command -v docker >/dev/null; then
    container=$(docker ps --format '{{.Names}}' 2>/dev/null |
        grep -E '^(edx\.devstack.*\.lms|tutor(_[a-z0-9]+)*_(local|dev)[-_]lms[-_]1)$' | head -n 1) || true
    if [ -n "$container" ]; then
        lms=(docker exec "$container" bash -c "$in_container" manage.py)
        lms_name="the LMS in the container $container"
    fi
fi

# ---- The database -----------------------------------------------------------------------------------------------

must "Migrating the database" "$python" manage.py migrate --noinput
say "Database: up to date."

# One start of Django tells all that is asked of it below.
facts=$("$python" manage.py shell --no-imports --verbosity 0 --command '
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import get_commands
print(get_user_model().objects.filter(is_superuser=True).exists())
print("provision_stand_in" in get_commands())
print(getattr(settings, "PORT", 8140))
print(settings.CC_LMS_CLIENT_ID)
print(settings.CC_LMS_CLIENT_SECRET)
') || die "The settings could not be read; the lines above say why."
{
    read -r has_superuser
    read -r has_stand_in
    read -r port
    read -r client_id
    read -r client_secret
} <<<"$facts"

# ---- A superuser ------------------------------------------------------------------------------------------------

if [ "$has_superuser" = True ]; then
    say "Superuser: there is one, kept."
else
    must "Creating the superuser $DJANGO_SUPERUSER_USERNAME" "$python" manage.py createsuperuser --noinput
    say "Superuser: $DJANGO_SUPERUSER_USERNAME created."
fi

# ---- OAuth clients ----------------------------------------------------------------------------------------------

if [ -n "$lms_name" ]; then
    if [ -z "$client_id" ] || [ -z "$client_secret" ]; then
        die "CC_LMS_CLIENT_ID and CC_LMS_CLIENT_SECRET must be set for $lms_name."
    fi
    must "Making the user $lms_user in $lms_name" \
        "${lms[@]}" manage_user "$lms_user" "$lms_user@example.com" --staff
    must "Making the client $sso_client in $lms_name" \
        "${lms[@]}" create_dot_application --update --grant-type authorization-code --skip-authorization \
        --redirect-uris "http://localhost:$port/complete/edx-oauth2/" --scopes user_id \
        --client-id "$sso_client" --client-secret "$sso_secret" "$sso_client" "$lms_user"
    must "Making the client $client_id in $lms_name" \
        "${lms[@]}" create_dot_application --update --grant-type client-credentials \
        --client-id "$client_id" --client-secret "$client_secret" "$client_id" "$lms_user"
    say "OAuth clients: $sso_client and $client_id are in $lms_name. Set CC_LMS_URL_ROOT to its address to use it."
    case $client_secret in
    local-lms-secret) say "Their secrets are the local ones, which everybody can read: for an LMS on this machine only." ;;
    esac
fi

# The stand-in gets them beside a real LMS too: it is what local settings call until CC_LMS_URL_ROOT names another.
if [ "$has_stand_in" = True ]; then
    must "Making the OAuth clients in the stand-in LMS" \
        "$python" manage.py provision_stand_in --sso-secret "$sso_secret"
    say "OAuth clients: $sso_client and $client_id are in the stand-in LMS."
elif [ -z "$lms_name" ]; then
    die "No LMS was found, and these settings have no stand-in. Set LMS_MANAGE."
fi
