"""What agents may say, as operators keep it: documents and policies, projects and prices."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from knowledge import services
from knowledge.models import Document, KnowledgeBase, Listing, Project
from voiceops.admin import explained
from voiceops.core.plan import LANGUAGE_NAMES
from voiceops.core.rupees import in_words


@admin.register(KnowledgeBase)
class KnowledgeBaseAdmin(ModelAdmin):
    list_display = ("name", "slug", "document_count")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[KnowledgeBase]:
        bases: QuerySet[KnowledgeBase] = super().get_queryset(request)
        return bases.annotate(documents_total=Count("documents"))

    @display(description="Documents", ordering="documents_total")
    def document_count(self, base: Any) -> int:
        return int(base.documents_total)


class DocumentForm(forms.ModelForm):
    kind = forms.ChoiceField(
        choices=[("article", "Article"), ("policy", "Policy")], widget=UnfoldAdminSelectWidget
    )
    language = forms.ChoiceField(choices=list(LANGUAGE_NAMES.items()), widget=UnfoldAdminSelectWidget)
    body = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 18}),
        help_text=(
            "Plain text or Markdown. Headings and paragraphs become the passages that are searched; "
            "a new wording is searched as soon as a worker has indexed it."
        ),
    )

    class Meta:
        model = Document
        fields = (
            "base", "slug", "title", "kind", "language", "body", "is_published", "valid_from", "valid_to",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        begin, end = data.get("valid_from"), data.get("valid_to")
        if begin and end and begin >= end:
            self.add_error("valid_to", "Must be later than the beginning of its validity.")
        return data


@admin.register(Document)
class DocumentAdmin(ModelAdmin):
    form = DocumentForm
    list_display = ("title", "kind", "spoken", "base", "published", "state", "updated_at")
    list_filter = ("kind", "language", "base", "is_published")
    search_fields = ("title", "slug", "body")
    list_select_related = ("base",)
    prepopulated_fields = {"slug": ("title",)}
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": (("title", "slug"), ("base", "kind", "language"), "body", "is_published")}),
        (
            "Validity",
            {
                "classes": ["tab"],
                "fields": ("valid_from", "valid_to"),
                "description": explained(
                    "Outside of these moments the document is not searched. Empty: always valid."
                ),
            },
        ),
        ("Index", {"classes": ["tab"], "fields": ("state", "version", "indexed_version", "passage_count")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Document | None = None) -> tuple[str, ...]:
        shown = ("state", "version", "indexed_version", "passage_count")
        # Citations name a document by its slug for ever.
        return (*shown, "slug", "base") if obj else shown

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Document | None = None
    ) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"slug": ("title",)}

    def save_model(self, request: HttpRequest, obj: Document, form: Any, change: bool) -> None:
        saved = services.save_document(
            slug=obj.slug,
            title=obj.title,
            body=obj.body,
            kind=obj.kind,
            language=obj.language,
            base=obj.base.slug,
            is_published=obj.is_published,
            valid_from=obj.valid_from,
            valid_to=obj.valid_to,
        )
        obj.pk, obj.version = saved.pk, saved.version

    @display(description="Language", ordering="language")
    def spoken(self, document: Document) -> str:
        return LANGUAGE_NAMES.get(document.language, document.language)

    @display(description="Published", boolean=True, ordering="is_published")
    def published(self, document: Document) -> bool:
        return document.is_published

    @display(description="Search", label={"indexed": "success", "indexing": "warning"})
    def state(self, document: Document) -> str:
        return "indexed" if document.indexed_version == document.version else "indexing"

    @display(description="Passages")
    def passage_count(self, document: Document) -> int:
        return document.chunks.filter(version=document.indexed_version).count()


class ListingForm(forms.ModelForm):
    class Meta:
        model = Listing
        fields = ("property_type", "price_inr", "area_sqft", "units_available")
        labels = {"price_inr": "Price (₹)", "area_sqft": "Area (sq ft)", "units_available": "Available"}

    def clean_price_inr(self) -> int:
        price: int = self.cleaned_data["price_inr"]
        if price <= 0:
            raise forms.ValidationError("A price is more than zero rupees.")
        return price


class ListingInline(TabularInline):
    model = Listing
    form = ListingForm
    fields = ("property_type", "price_inr", "spoken_price", "area_sqft", "units_available")
    readonly_fields = ("spoken_price",)
    extra = 0
    verbose_name_plural = "Flats: type, price, availability"

    @display(description="Said as")
    def spoken_price(self, listing: Listing) -> str:
        return in_words(listing.price_inr) if listing.price_inr else "–"


class ProjectForm(forms.ModelForm):
    amenity_names = forms.CharField(
        label="Amenities",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "swimming pool, gym, clubhouse"}),
        help_text="Separated by commas.",
    )

    class Meta:
        model = Project
        fields = (
            "slug", "name", "name_hi", "locality", "locality_hi", "city", "address", "possession",
        )  # fmt: skip
        labels = {"name_hi": "Name in Hindi", "locality_hi": "Locality in Hindi"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["amenity_names"] = ", ".join(map(str, self.instance.amenities))

    def save(self, commit: bool = True) -> Project:
        names = self.cleaned_data["amenity_names"].split(",")
        self.instance.amenities = [name.strip() for name in names if name.strip()]
        return super().save(commit)


@admin.register(Project)
class ProjectAdmin(ModelAdmin):
    form = ProjectForm
    inlines = (ListingInline,)
    list_display = ("name", "locality", "city", "prices", "units", "possession", "updated_at")
    list_filter = ("locality", "city")
    search_fields = ("name", "locality", "slug")
    prepopulated_fields = {"slug": ("name",)}
    warn_unsaved_form = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "slug"), ("locality", "city"), "address", "possession", "amenity_names",
                )
            },
        ),
        ("Hindi", {"classes": ["tab"], "fields": ("name_hi", "locality_hi")}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        projects: QuerySet[Project] = super().get_queryset(request)
        return projects.prefetch_related("listings")

    @display(description="Prices")
    def prices(self, project: Project) -> str:
        flats = sorted(project.listings.all(), key=lambda flat: flat.price_inr)
        return ", ".join(f"{flat.property_type} {in_words(flat.price_inr)}" for flat in flats) or "–"

    @display(description="Available")
    def units(self, project: Project) -> int:
        return sum(flat.units_available for flat in project.listings.all())
