"""The schema on the real database."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_database_carries_pgvector() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT '[1,2,3]'::vector <-> '[1,2,4]'::vector")
        assert cursor.fetchone() == (1.0,)
