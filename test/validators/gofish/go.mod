module bmc-certificate-manager/gofish-client

go 1.21

require github.com/stmcginnis/gofish v0.26.0
