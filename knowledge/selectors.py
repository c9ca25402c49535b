"""Reads for pages and for the plan of a call (before it is answered)."""

from __future__ import annotations

from knowledge.models import Project


def vocabulary() -> tuple[str, ...]:
    """Names a recogniser should know: projects and localities, in English."""
    rows = Project.objects.values_list("name", "locality")
    return tuple(dict.fromkeys(name for row in rows for name in row if name))


def places() -> tuple[dict[str, str], ...]:
    """Every project with its names in English and Hindi."""
    return tuple(
        {
            "project_slug": project.slug,
            "project": project.name,
            "project_hi": project.name_hi,
            "locality": project.locality,
            "locality_hi": project.locality_hi,
        }
        for project in Project.objects.all()
    )
