module tapedeck/examples/stripe/go

go 1.26.0

require github.com/stripe/stripe-go/v82 v82.5.1
