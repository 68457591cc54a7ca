"""The names are those by which allauth finds its pages."""

from django.urls import include, path

from markethall.interfaces.web.accounts import links, pages, second_factor, unsubscribe

urlpatterns = [
    path("login", pages.login, name="account_login"),
    path("login/code", second_factor.step, name="mfa_authenticate"),
    path("signup", pages.sign_up, name="account_signup"),
    path("logout", pages.logout, name="account_logout"),
    path("verify-email", pages.verification_sent, name="account_email_verification_sent"),
    path("verify-email/<str:key>", pages.verify_email, name="account_confirm_email"),
    path("forgot-password", pages.forgot_password, name="account_reset_password"),
    path("reset-password/<str:key>", pages.reset_password, name="reset_password"),
    path("change-password", pages.change_password, name="account_change_password"),
    path("closed", pages.inactive, name="account_inactive"),
    path("second-factor", second_factor.home, name="mfa_index"),
    path("second-factor/confirm", second_factor.confirm, name="second_factor_confirm"),
    path("second-factor/off", second_factor.turn_off, name="second_factor_off"),
    path("second-factor/codes", second_factor.renew_codes, name="second_factor_codes"),
    path("unsubscribe/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("sign-ins", links.home, name="socialaccount_connections"),
    path("oauth/", include("markethall.interfaces.web.accounts.oauth")),
]
