"""Every call, every crash: each AWS call of every Lambda fails in each way that AWS can fail, one at a time.

`layer` stands between the Lambdas and AWS and makes one call fail; `replies` has AWS's words for it; `faulty_aws` puts
both into the tests' AWS. `lambdas` starts the real handlers and throws them away; `cloud` and `stream` deliver events
again as AWS would; `field` has the devices. `stories` are what may be disturbed, `beginnings` and `refusals` where they
begin, `presses` what people ask, `ground` the lobby in which it takes place. `endings` compares, `matrix` tries all.
"""
