"""Staff: everyone who logs in. Citizens have no account and no row here."""

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q

from madoguchi.protocol import Permission, Role, may
from madoguchi.protocol.roles import STAFF
from madoguchi.server import clock
from madoguchi.server.counters.models import Site
from madoguchi.server.fields import choices


class StaffManager(BaseUserManager["Staff"]):
    """Makes staff; the name is what `Django` asks of a user model."""

    def create_user(self, username: str, password: str | None, **fields: object) -> "Staff":
        """A new staff member with a hashed password."""
        staff = self.model(username=self.model.normalize_username(username), **fields)
        staff.set_password(password)
        staff.save(using=self._db)
        return staff


class Staff(AbstractBaseUser):
    """A person of the counter. `site` None: all sites. `training`: a login of the training city."""

    username = models.CharField(
        "ログイン名",
        max_length=60,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={
            "unique": "このログイン名は使われています。",
        },
    )
    display_name = models.CharField("表示名", max_length=60)
    role = models.CharField("役割", max_length=30, choices=choices(STAFF))
    site = models.ForeignKey(
        Site, verbose_name="拠点", on_delete=models.PROTECT, null=True, blank=True, help_text="空欄: すべての拠点"
    )
    is_active = models.BooleanField("有効", default=True)
    training = models.BooleanField("訓練用", default=False, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = StaffManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar = ["display_name", "role"]

    class Meta:
        ordering: ClassVar = ["username"]
        verbose_name = "係員"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=[role.value for role in STAFF]), name="staff_role_known"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def acts_as(self) -> Role:
        """The protocol's role."""
        return Role(self.role)

    def may(self, permission: Permission) -> bool:
        """Whether the staff member is active and the role holds the permission."""
        return self.is_active and may(self.acts_as, permission)

    def sees(self, site_id: int | None) -> bool:
        """Whether things of the site exist for this person. `site_id` None: things of all sites."""
        return self.site_id is None or self.site_id == site_id
