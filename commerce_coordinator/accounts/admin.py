from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from .models import User


@admin.register(User)
class AccountAdmin(UserAdmin):
    list_display = ("username", "email", "is_staff", "is_superuser", "lms_user_id")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("LMS", {"fields": ("lms_user_id",)}))
