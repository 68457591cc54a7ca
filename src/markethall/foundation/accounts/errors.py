from __future__ import annotations

from markethall.kernel.errors import Conflict, Forbidden, Invalid, Unauthenticated


class InvalidCredentials(Unauthenticated):
    code, title = "invalid_credentials", "The e-mail address or the password is wrong"


class EmailUnverified(Forbidden):
    code, title = "email_unverified", "Verify your e-mail address first"


class SecondFactorRequired(Unauthenticated):
    code, title = "second_factor_required", "Enter the code of your authenticator app"


class WrongCode(Unauthenticated):
    code, title = "second_factor_invalid", "This code is wrong, used or too old"


class WrongPassword(Invalid):
    code, title = "wrong_password", "The present password is wrong"


class LinkInvalid(Invalid):
    code, title = "link_invalid", "This link is not valid, or no longer"


class SecondFactorState(Conflict):
    code, title = "second_factor_state", "The second factor is not in the state this needs"


class LastSuperAdmin(Conflict):
    code, title = "last_super_admin", "This is the last super admin"

    def __init__(self) -> None:
        super().__init__("Make somebody else a super admin first.")


class SignupsClosed(Forbidden):
    code, title = "signups_closed", "New people cannot sign up at the moment"


class TooMany(Conflict):
    code, title = "too_many", "There are as many as an account can have"


class SignInAgain(Forbidden):
    code, title = "sign_in_again", "Sign in again first"


class LastSignIn(Conflict):
    code, title = "last_sign_in", "This is your only way to sign in"
