// Package shop is a client of a shop's API. It knows nothing of tapedeck.
package shop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

const api = "https://api.shop.example"

// An Order is what the shop knows of one.
type Order struct {
	ID       string `json:"id,omitempty"`
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
	Currency string `json:"currency"`
	Total    int    `json:"total,omitempty"`
	Status   string `json:"status,omitempty"`
}

// A Client calls the shop.
type Client struct {
	HTTP *http.Client
	Key  string
}

// Buy makes an order.
func (c *Client) Buy(o Order) (Order, error) { return c.call("POST", "/orders", o) }

// Order reads one.
func (c *Client) Order(id string) (Order, error) { return c.call("GET", "/orders/"+id, nil) }

// Refund gives the money back.
func (c *Client) Refund(id string) (Order, error) {
	return c.call("POST", "/orders/"+id+"/refund", nil)
}

func (c *Client) call(method, path string, body any) (o Order, err error) {
	var data []byte
	if body != nil {
		if data, err = json.Marshal(body); err != nil {
			return o, err
		}
	}
	req, err := http.NewRequest(method, api+path, bytes.NewReader(data))
	if err != nil {
		return o, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return o, err
	}
	defer resp.Body.Close()
	if data, err = io.ReadAll(resp.Body); err != nil {
		return o, err
	}
	if resp.StatusCode >= 300 {
		return o, fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return o, json.Unmarshal(data, &o)
}
