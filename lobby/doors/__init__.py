"""The doors (enrolment methods): the ways in which a device joins the lobby. All end in `admission`.

Lambdas: `registration_queue` (the bouncer, door `registration`), `provisioning` (door `claim`), `vending_requests` with
`vending_authorizer` (door `token`), `renewal` (the renewer), and `registrar`. The registrar changes claim certificates
(`claim_registrations`), accepts devices of other lobbies (`acceptance`) and deletes unused certificates
(`unused_certificates`).
"""
