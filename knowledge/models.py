"""What is true: passages that are searched, and records that are looked up."""

from __future__ import annotations

from django.db import models
from pgvector.django import HnswIndex, VectorField

EMBEDDING_DIMENSIONS = 384


class KnowledgeBase(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """An article or a policy, as operators edit it."""

    base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="documents")
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=150)
    kind = models.CharField(max_length=16, default="article", help_text="article or policy")
    language = models.CharField(max_length=8, default="en")
    body = models.TextField()
    version = models.PositiveIntegerField(default=1, editable=False)
    is_published = models.BooleanField(default=True)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_to = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)
    indexed_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class Chunk(models.Model):
    """A passage of one version of a document, with its embedding."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    version = models.PositiveIntegerField()
    ordinal = models.PositiveIntegerField()
    text = models.TextField()
    embedding = VectorField(dimensions=EMBEDDING_DIMENSIONS)

    class Meta:
        ordering = ["document", "ordinal"]
        indexes = [
            HnswIndex(
                name="chunk_embedding_hnsw",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=["vector_cosine_ops"],
            )
        ]


class Project(models.Model):
    """A housing project."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    name_hi = models.CharField(max_length=100, blank=True)
    locality = models.CharField(max_length=80)
    locality_hi = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=80, default="Bangalore")
    address = models.CharField(max_length=200, blank=True)
    possession = models.CharField(max_length=80, blank=True)
    amenities = models.JSONField(default=list, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Listing(models.Model):
    """One kind of flat in a project: its price and how many are left."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="listings")
    property_type = models.CharField(max_length=16, help_text="2BHK, 3BHK, …")
    price_inr = models.BigIntegerField()
    area_sqft = models.PositiveIntegerField()
    units_available = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["project", "property_type"]
        constraints = [
            models.UniqueConstraint(fields=["project", "property_type"], name="listing_type_per_project")
        ]

    def __str__(self) -> str:
        return f"{self.property_type} {self.project}"
