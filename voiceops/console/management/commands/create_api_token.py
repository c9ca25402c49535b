"""`manage.py create_api_token USER` prints a token for the REST API, and nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.authtoken.models import Token


class Command(BaseCommand):
    help = "Print the REST API token of a user, made on first use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="Login name of the user that the token acts for.")

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model()
        name = options["user"]
        user = users.objects.filter(username=name).first()
        if user is None:
            known = ", ".join(users.objects.order_by("username").values_list("username", flat=True)[:10])
            raise CommandError(
                f"there is no user {name!r}: use one of {known}"
                if known
                else f"there is no user {name!r}: make one with manage.py createsuperuser"
            )
        if not user.is_active:
            raise CommandError(f"user {name!r} is switched off: its token would be refused")
        token, _ = Token.objects.get_or_create(user=user)
        self.stdout.write(token.key)
